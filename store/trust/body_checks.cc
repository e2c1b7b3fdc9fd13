#include "store/trust/body_checks.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "store/log/output_store.h"
#include "store/trust/read_ahead.h"

namespace pievt {
namespace {

std::string_view run_of(std::string_view stream) {
  return stream.starts_with("run/") ? stream.substr(4) : std::string_view();
}

}  // namespace

void BodyChecks::event(const EventView& event, Sequence page, const reflect::Schema* schema,
                       const std::string& stream) {
  const Place place{page, event.sequence, stream, event.revision()};
  findings_->examined(Check::events);
  if (!log_->blobs().key_state().ok()) return;
  const auto blobs =
      finder(schema != nullptr ? *schema : reflect::Schema::embedded_events()).find(event.body);
  if (!blobs.ok()) {
    findings_->damaged(Check::events, place, blobs.error().what);
  } else {
    for (const auto& blob : *blobs) {
      // Chunks of output lie elsewhere, and need the ones before them.
      if (blob.ref.kind() != schema::BlobKind::output_chunk) body(blob.ref, blob.field, place);
    }
  }
  if (const auto* captured = event.envelope->payload_as_OutputCaptured()) {
    chunk(*captured, event, place);
  } else if (event.type() == schema::Payload::AttemptClassified) {
    const ChannelKey low{event.stamp->stream(), event.head().job(), event.head().attempt(), {}};
    ChannelKey high = low;
    ++high.attempt;
    channels_.erase(channels_.lower_bound(low), channels_.lower_bound(high));
  }
}

reflect::BlobFinder& BodyChecks::finder(const reflect::Schema& schema) {
  const auto found = finders_.find(&schema);
  return found != finders_.end() ? found->second : finders_.emplace(&schema, schema).first->second;
}

void BodyChecks::body(const schema::BlobRef& ref, std::string_view field, const Place& place) {
  const std::uint64_t mark = mark_of(ref);
  const std::string_view run = run_of(place.stream);
  if (is_known(mark, run)) return;
  if (whole_ != nullptr && std::ranges::binary_search(*whole_, mark)) return;
  const auto content = log_->blobs().get(ref);
  if (content.ok()) return;
  std::string what = fmt::format("{}: {}", field, content.error().what);
  if (content.error().code != Errc::not_found)
    return findings_->damaged(Check::bodies, place, std::move(what));
  absent_.insert(mark);
  told_.insert(mark ^ std::hash<std::string_view>()(run));
  if (run.empty()) return findings_->report(Check::bodies, Severity::missing, place, what);
  findings_->absent(Check::bodies, run, place, std::move(what));
}

// One that is there is read once. One that is not may have been removed for one run and be missed
// by another, so it is a matter of each run that refers to it.
bool BodyChecks::is_known(std::uint64_t mark, std::string_view run) {
  if (seen_.insert(mark).second) {
    findings_->examined(Check::bodies);
    return false;
  }
  return !absent_.contains(mark) || told_.contains(mark ^ std::hash<std::string_view>()(run));
}

void BodyChecks::chunk(const schema::OutputCaptured& captured, const EventView& event,
                       const Place& place) {
  const std::string_view run = run_of(place.stream);
  if (run.empty()) return;
  findings_->examined(Check::output);
  const OutputKey key{std::string(run), event.head().job(), event.head().attempt(),
                      captured.channel()};
  Channel& channel = channels_[{event.stamp->stream(), key.job, key.attempt, key.channel}];
  const auto report = [&](Severity severity, std::string_view what) {
    channel.readable = false;
    std::string said =
        fmt::format("chunk {} of {} of job {}, attempt {}, {}", captured.chunk(),
                    schema::EnumNameOutputChannel(key.channel), key.job, key.attempt, what);
    if (severity == Severity::damaged)
      return findings_->damaged(Check::output, place, std::move(said));
    findings_->absent(Check::output, run, place, std::move(said));
  };

  const bool follows =
      captured.chunk() == channel.next_chunk && captured.offset() == channel.offset;
  channel.next_chunk = captured.chunk() + 1;
  channel.offset = captured.offset() + captured.size();
  if (!follows) report(Severity::damaged, "does not follow the one before it");

  const auto start = captured.restart() ? ChunkStart::restarts : ChunkStart::continues;
  if (start == ChunkStart::restarts) channel.readable = true;
  const auto stored = log_->rocks().get(Family::blobs, output_chunk_key(key, captured.chunk()));
  if (!stored.ok()) return report(Severity::damaged, stored.error().what);
  if (!*stored)
    return report(Severity::missing, "is not in the store, nor can what builds on it be read");
  if (!channel.readable) return;

  const auto raw = decompressor_.unpack(channel.chain, start, std::as_bytes(std::span(**stored)),
                                        captured.size());
  if (!raw.ok()) return report(Severity::damaged, raw.error().what);
  if (captured.content() == nullptr ||
      log_->blobs().digest_of(*raw) != from_schema(captured.content()->digest())) {
    report(Severity::damaged, "is not what was captured");
  }
}

}  // namespace pievt
