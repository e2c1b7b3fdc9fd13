#include "tools/verbs/body_search.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "pievt/bytes.h"
#include "store/format/blob_refs.h"
#include "store/format/reflect_json.h"

namespace pievt::tools {
namespace {

constexpr std::size_t batch_items_max = 512;
constexpr std::uint64_t batch_bytes_max = 16u << 20;
constexpr std::size_t line_bytes_max = 400;

std::string_view line_at(std::string_view text, std::size_t begin) {
  return text.substr(begin, std::min(text.find('\n', begin), text.size()) - begin);
}

std::string cut(std::string_view line) {
  return std::string(line.substr(0, line_bytes_max));
}

// A long line is shown from a little before its match.
void set_line(FoundLine& found, std::string_view line, std::size_t begin, std::size_t end) {
  const std::size_t skip = begin > line_bytes_max / 2 ? begin - line_bytes_max / 4 : 0;
  found.text = cut(line.substr(skip));
  found.match = {begin - skip, std::min(end - skip, found.text.size())};
}

std::vector<std::string> lines_before(std::string_view text, std::size_t begin, std::size_t count) {
  std::vector<std::string> lines;
  while (lines.size() < count && begin > 0) {
    const std::size_t end = begin - 1;
    const std::size_t previous = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
    begin = previous == std::string_view::npos ? 0 : previous + 1;
    lines.push_back(cut(text.substr(begin, end - begin)));
  }
  std::ranges::reverse(lines);
  return lines;
}

std::vector<std::string> lines_after(std::string_view text, std::size_t end, std::size_t count) {
  std::vector<std::string> lines;
  while (lines.size() < count && end + 1 < text.size()) {
    const std::string_view line = line_at(text, end + 1);
    lines.push_back(cut(line));
    end += 1 + line.size();
  }
  return lines;
}

}  // namespace

std::vector<FoundLine> matching_lines(const TextPattern& pattern, std::string_view text,
                                      std::size_t context) {
  std::vector<FoundLine> lines;
  std::uint64_t number = 1;
  std::size_t counted = 0;
  for (auto match = pattern.find(text); match;) {
    const std::size_t newline = match->begin == 0 ? text.npos : text.rfind('\n', match->begin - 1);
    const std::size_t begin = newline == text.npos ? 0 : newline + 1;
    const std::string_view line = line_at(text, match->begin);
    const std::size_t end = match->begin + line.size();
    number += static_cast<std::uint64_t>(
        std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                   text.begin() + static_cast<std::ptrdiff_t>(begin), '\n'));
    counted = begin;
    FoundLine& found = lines.emplace_back();
    found.number = number;
    set_line(found, text.substr(begin, end - begin), match->begin - begin,
             std::min(match->end, end) - begin);
    found.before = lines_before(text, begin, context);
    found.after = lines_after(text, end, context);
    match = pattern.find(text, end + 1);
  }
  return lines;
}

BodySearch::BodySearch(const Log& log, const TextPattern& pattern, EventNames& names,
                       std::size_t context, Sink sink)
    : log_(log), pattern_(pattern), names_(names), context_(context), sink_(std::move(sink)) {}

void BodySearch::fields(const EventView& event) {
  // The body holds its texts as they are, so most events are passed over without being taken apart.
  const std::string_view raw(reinterpret_cast<const char*>(event.body.data()), event.body.size());
  if (!pattern_.find(raw)) return;
  const auto leaves =
      reflect::flatten(reflect::Schema::embedded_events(), event.body, reflect::Defaults::hidden);
  if (!leaves.ok()) return;
  for (const reflect::Leaf& leaf : *leaves) {
    constexpr std::string_view payload = "payload.";
    if (!leaf.path.starts_with(payload)) continue;
    auto lines = matching_lines(pattern_, leaf.text, context_);
    if (lines.empty()) continue;
    Item& item = batch_.emplace_back();
    item.found = {names_.stream(event),
                  event.revision().value,
                  names_.subject(event),
                  std::string(type_name(event.type())),
                  leaf.path.substr(payload.size()),
                  std::move(lines)};
  }
}

void BodySearch::event(const EventView& event) {
  names_.see(event);
  ++totals_.events;
  fields(event);
  // Captured output is packed piece upon piece, and says what the other bodies say.
  if (event.type() == schema::Payload::OutputCaptured) return;
  const auto blobs = blobs_of(reflect::Schema::embedded_events(), event.body);
  if (!blobs.ok()) return;
  for (const FoundBlob& blob : *blobs) {
    Item& item = batch_.emplace_back();
    item.found = {names_.stream(event),
                  event.revision().value,
                  names_.subject(event),
                  std::string(type_name(event.type())),
                  blob.field,
                  {}};
    item.ref = blob.ref;
    ++totals_.bodies;
    totals_.bytes += blob.ref.size();
    batch_bytes_ += blob.ref.size();
  }
  if (batch_.size() >= batch_items_max || batch_bytes_ >= batch_bytes_max) search_batch();
}

void BodySearch::finish() {
  search_batch();
}

void BodySearch::search_batch() {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < batch_.size(); i = next++) {
      Item& item = batch_[i];
      if (item.ref.size() == 0 || !item.found.lines.empty()) continue;
      const auto body = log_.get_blob(item.ref);
      item.missing = !body.ok();
      if (item.missing) continue;
      item.found.lines = matching_lines(pattern_, text_of(*body), context_);
    }
  };
  const std::size_t threads =
      batch_bytes_ < (1u << 20) ? 1 : std::min<std::size_t>(8, std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  helpers.clear();
  for (const Item& item : batch_) {
    totals_.missing += item.missing ? 1u : 0u;
    totals_.lines += item.found.lines.size();
    if (!item.found.lines.empty()) sink_(item.found);
  }
  batch_.clear();
  batch_bytes_ = 0;
}

}  // namespace pievt::tools
