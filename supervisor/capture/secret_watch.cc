// See secret_watch.h.
#include "supervisor/capture/secret_watch.h"

#include <algorithm>
#include <functional>

namespace pievt::supervisor {
namespace {

// Longer than all keys but private ones, whose beginning is enough to find them.
constexpr std::size_t tail_bytes = 512;

}  // namespace

schema::SecretFoundT secret_event(const RunRecord& record, std::string_view text,
                                  const secrets::Found& found, schema::SecretPlace place,
                                  std::string_view where, std::uint64_t offset) {
  schema::SecretFoundT event;
  event.place = place;
  event.rule = found.rule;
  event.where = where;
  event.offset = offset + found.offset;
  event.size = found.size;
  event.prefix = found.prefix;
  event.digest =
      std::make_unique<schema::Digest>(record.keyed_digest(text.substr(found.offset, found.size)));
  return event;
}

Result<SecretWatch::Seen> SecretWatch::see(RunRecord& record, std::string_view text,
                                           schema::SecretPlace place, std::string_view where,
                                           Tell tell_it, std::uint64_t offset) {
  Seen seen;
  seen.stored = text;
  const std::vector<secrets::Found> found = policy_->finder.find(text);
  if (found.empty()) {
    seen.masked = text;
    return seen;
  }
  seen.found = true;
  seen.masked = secrets::masked(text, found);
  if (policy_->mask) seen.stored = seen.masked;
  if (tell_it == Tell::yes && policy_->report)
    for (const secrets::Found& each : found)
      PIEVT_TRY(tell(record, text, each, place, where, offset));
  return seen;
}

Status SecretWatch::see_piece(RunRecord& record, std::string_view piece, std::string_view where,
                              std::uint64_t offset) {
  if (!policy_->report) return {};
  const std::size_t carried = tail_.size();
  tail_ += piece;
  for (const secrets::Found& each : policy_->finder.find(tail_))
    PIEVT_TRY(tell(record, tail_, each, schema::SecretPlace::output, where, offset - carried));
  tail_.erase(0, tail_.size() - std::min(tail_.size(), tail_bytes));
  return {};
}

Status SecretWatch::tell(RunRecord& record, std::string_view text, const secrets::Found& found,
                         schema::SecretPlace place, std::string_view where, std::uint64_t offset) {
  const std::size_t hash = std::hash<std::string_view>{}(text.substr(found.offset, found.size));
  if (told_.size() >= told_max || !told_.insert({place, hash}).second) return {};
  schema::SecretFoundT event = secret_event(record, text, found, place, where, offset);
  // Of texts; raw output is never masked.
  event.masked = policy_->mask && where != "stderr";
  PIEVT_TRY(record.propose({std::move(event), subject_}));
  return {};
}

}  // namespace pievt::supervisor
