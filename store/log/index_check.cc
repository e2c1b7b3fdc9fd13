#include "store/log/index_check.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pievt/shell_word.h"
#include "store/format/keys.h"
#include "store/log/commit.h"
#include "store/log/stream_table.h"

namespace pievt {
namespace {

Error leads_elsewhere(const Rocks& rocks, std::string_view index, const StoredPage& last) {
  return {Errc::corrupt,
          fmt::format(
              "the {} of the log does not lead to its last page, @{} to @{}; the events are "
              "there. Run: {}",
              index, last.first(), last.last(), store_command("doctor --rebuild", rocks.store()))};
}

}  // namespace

Status check_stream_index(const Rocks& rocks, const StoredPage& last) {
  std::map<std::uint32_t, format::StreamIndexEntry> touched;
  for (const format::SegmentView& segment : last.view().segments) {
    for (const schema::Stamp& stamp : segment.stamps) {
      auto& stream = touched[stamp.stream()];
      if (stream.stream == 0) stream = {stamp.stream(), 0, stamp.revision(), last.last()};
      stream.last_revision = stamp.revision();
    }
  }
  for (const auto& [number, entry] : touched) {
    const auto stored = PIEVT_TRY(rocks.get(Family::streams, entry.key()));
    if (!stored || *stored != entry.value())
      return leads_elsewhere(rocks, "index of streams", last);
    const Result<std::string> name = name_of_stream(rocks, number);
    if (!name.ok() && name.error().code != Errc::not_found) return name.error();
    const auto head = name.ok() ? PIEVT_TRY(find_stream(rocks, *name)) : std::nullopt;
    if (!head || head->number != number || head->revision != entry.last_revision) {
      return leads_elsewhere(rocks, "index of stream names", last);
    }
  }
  return {};
}

Result<std::uint64_t> highest_indexed_page(const Rocks& rocks) {
  std::uint64_t highest = 0;
  auto cursor = rocks.cursor(Family::streams, Rocks::Fill::scan);
  for (cursor.seek(""); cursor.valid(); cursor.next()) {
    const auto entry = format::StreamIndexEntry::parse(cursor.key(), cursor.value());
    if (entry) highest = std::max(highest, entry->page_last_sequence);
  }
  PIEVT_TRY(cursor.status());
  return highest;
}

Status check_indexes(const Rocks& rocks, const std::optional<StoredPage>& last_page) {
  if (!last_page) {
    auto any = rocks.cursor(Family::ids);
    any.seek_to_last();
    PIEVT_TRY(any.status());
    if (!any.valid()) return {};
    return Error{Errc::corrupt,
                 "the log has no events, but ids of appends: its pages are missing. Nothing was "
                 "changed; restore a backup"};
  }
  const StoredPage& last = *last_page;
  for (const format::SegmentView& segment : last.view().segments) {
    const format::CommitHeader& header = *segment.header;
    const std::string id(reinterpret_cast<const char*>(header.append_id.data()),
                         header.append_id.size());
    const auto stored = PIEVT_TRY(rocks.get(Family::ids, id));
    const auto entry = stored ? IdEntry::parse(*stored) : std::nullopt;
    const std::uint64_t end = header.first_sequence + header.event_count - 1;
    const bool leads = entry && entry->first <= header.first_sequence && entry->last >= end;
    if (!leads) return leads_elsewhere(rocks, "index of append ids", last);
  }
  return check_stream_index(rocks, last);
}

}  // namespace pievt
