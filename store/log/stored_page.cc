#include "store/log/stored_page.h"

#include <fmt/format.h>

#include "pievt/shell_word.h"
#include "store/format/keys.h"

namespace pievt {

Status StoredPage::load(std::string_view value, std::uint64_t store) {
  const auto* bytes = reinterpret_cast<const std::byte*>(value.data());
  bytes_.assign(bytes, bytes + value.size());
  PIEVT_TRY(view_.load(bytes_));
  if (store != 0 && view_.header->store != store) {
    return Error{
        Errc::corrupt,
        fmt::format("page of @{} belongs to another store; run: pievt verify --all", last())};
  }
  return {};
}

Result<StoredPage> load_page(const Rocks& rocks, Sequence sequence, std::uint64_t store) {
  auto cursor = rocks.cursor(Family::log);
  cursor.seek(format::log_key(sequence.value));
  PIEVT_TRY(cursor.status());
  if (!cursor.valid()) {
    return Error{Errc::not_found,
                 fmt::format("there is no event @{}; the log ends before it", sequence.value)};
  }
  StoredPage page;
  PIEVT_TRY(page.load(cursor.value(), store));
  return page;
}

Result<std::optional<StoredPage>> load_last_page(const Rocks& rocks, std::uint64_t store) {
  auto cursor = rocks.cursor(Family::log);
  cursor.seek_to_last();
  PIEVT_TRY(cursor.status());
  if (!cursor.valid()) return std::optional<StoredPage>();
  StoredPage page;
  PIEVT_TRY(page.load(cursor.value(), store));
  return std::optional(std::move(page));
}

Result<Appended> positions_of(const Rocks& rocks, const AppendId& id, Sequence first,
                              Sequence last) {
  Appended found{AppendOutcome::already_there, id, first, last, {}};
  std::uint64_t sequence = first.value;
  while (sequence <= last.value) {
    const StoredPage page = PIEVT_TRY(load_page(rocks, {sequence}));
    const format::SegmentView* segment = nullptr;
    for (const format::SegmentView& candidate : page.view().segments) {
      if (candidate.header->append_id == id.bytes && candidate.header->first_sequence == sequence)
        segment = &candidate;
    }
    if (segment == nullptr) {
      return Error{
          Errc::corrupt,
          fmt::format("append {} is not at @{}, where its id entry says; run: {}", to_string(id),
                      sequence, store_command("verify --all", rocks.store()))};
    }
    found.streams.resize(segment->streams.size());
    for (std::size_t i = 0; i < segment->streams.size(); ++i) {
      const format::StreamEntry& entry = segment->streams[i];
      StreamPosition& position = found.streams[i];
      if (position.first.value == 0 && entry.event_count > 0) {
        position.first = {entry.last_revision - entry.event_count + 1};
      }
      position.last = {entry.last_revision};
    }
    sequence += segment->header->event_count;
  }
  return found;
}

}  // namespace pievt
