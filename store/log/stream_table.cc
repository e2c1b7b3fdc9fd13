#include "store/log/stream_table.h"

#include <limits>

#include <fmt/format.h>

#include "pievt/shell_word.h"
#include "store/format/keys.h"

namespace pievt {

Result<std::optional<StreamHead>> find_stream(const Rocks& rocks, std::string_view name) {
  const auto stored = PIEVT_TRY(rocks.get(Family::index, "s" + std::string(name)));
  if (!stored) return std::optional<StreamHead>();
  const auto number = format::get_u32(*stored);
  if (!number)
    return Error{Errc::corrupt, fmt::format("index entry of stream {} is damaged; run: {}", name,
                                            store_command("doctor --rebuild", rocks.store()))};

  StreamHead head{*number, 0};
  auto cursor = rocks.cursor(Family::streams);
  cursor.seek_for_prev(format::stream_key(*number, std::numeric_limits<std::uint64_t>::max()));
  if (cursor.valid()) {
    const auto entry = format::StreamIndexEntry::parse(cursor.key(), cursor.value());
    if (entry && entry->stream == *number) head.revision = entry->last_revision;
  }
  PIEVT_TRY(cursor.status());
  return std::optional(head);
}

Result<std::string> name_of_stream(const Rocks& rocks, std::uint32_t number) {
  std::string key = "n";
  format::put_u32(key, number);
  auto name = PIEVT_TRY(rocks.get(Family::index, key));
  if (!name) return Error{Errc::not_found, fmt::format("no stream has number {}", number)};
  return *std::move(name);
}

Result<std::uint32_t> last_stream_number(const Rocks& rocks) {
  auto cursor = rocks.cursor(Family::index);
  cursor.seek_for_prev("n\xff\xff\xff\xff");
  PIEVT_TRY(cursor.status());
  if (!cursor.valid() || !cursor.key().starts_with('n')) return 0u;
  return format::get_u32(cursor.key(), 1).value_or(0);
}

Result<StreamHead*> StreamTable::find(std::string_view name) {
  if (const auto known = known_.find(name); known != known_.end()) return &known->second;
  const std::optional<StreamHead> stored = PIEVT_TRY(find_stream(*rocks_, name));
  // A name is declared together with its first event.
  if (stored && stored->revision == 0) {
    return Error{Errc::corrupt,
                 fmt::format("stream {} has a number and no events in the index; "
                             "run: {}",
                             name, store_command("doctor --rebuild", rocks_->store()))};
  }
  return &known_.emplace(name, stored.value_or(StreamHead{})).first->second;
}

}  // namespace pievt
