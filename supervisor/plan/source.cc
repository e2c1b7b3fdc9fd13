// See source.h.
#include "supervisor/plan/source.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/plan/limits.h"

namespace pievt::plan {
namespace {

/// Places that are remembered to tell repetitions apart; a file with more problems than this is
/// wrong as a whole.
constexpr std::size_t seen_max = 10'000;

}  // namespace

Source::Position Source::position(std::size_t offset) const {
  const std::string_view before = text().substr(0, std::min(offset, text_.size()));
  const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t line_begin = lines == 0 ? mark_bytes() : before.rfind('\n') + 1;
  std::size_t column = 1;
  for (std::size_t i = line_begin; i < before.size(); ++i)
    if ((static_cast<unsigned char>(before[i]) & 0xC0u) != 0x80u) ++column;
  return {lines + 1, column};
}

void Problems::add(const Place& place, std::string sentence) {
  PIEVT_ASSERT(place.source != nullptr);
  if (seen_.contains({place.source, place.offset})) return;
  if (seen_.size() < seen_max) seen_.insert({place.source, place.offset});
  ++count_;
  if (entries_.size() < limits::problems_max) entries_.push_back({place, std::move(sentence)});
}

bool Problems::wants_more() const {
  return entries_.size() < limits::problems_max;
}

Error Problems::error() const {
  PIEVT_ASSERT(!none());
  std::vector<const Source*> files;
  for (const Entry& entry : entries_)
    if (std::ranges::find(files, entry.place.source) == files.end())
      files.push_back(entry.place.source);
  std::vector<const Entry*> sorted;
  for (const Entry& entry : entries_) sorted.push_back(&entry);
  std::ranges::stable_sort(sorted, {}, [&](const Entry* entry) {
    return std::pair{std::ranges::find(files, entry->place.source) - files.begin(),
                     entry->place.offset};
  });
  std::string what;
  for (const Entry* entry : sorted) {
    const auto [line, column] = entry->place.source->position(entry->place.offset);
    if (!what.empty()) what += '\n';
    what += fmt::format("{}:{}:{}: {}", entry->place.source->name(), line, column, entry->sentence);
  }
  if (count_ > entries_.size())
    what += fmt::format("\nand {} more problems", count_ - entries_.size());
  return Error{Errc::invalid, std::move(what)};
}

}  // namespace pievt::plan
