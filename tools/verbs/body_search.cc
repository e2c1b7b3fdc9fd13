#include "tools/verbs/body_search.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "pievt/blobs.h"
#include "pievt/bytes.h"
#include "store/format/reflect_json.h"

namespace pievt::tools {
namespace {

// The first window is small, so that there is soon something to search; later ones are large, since
// the more bodies are looked up at once, the closer together they lie.
constexpr std::size_t first_window_items = 1u << 15;
constexpr std::size_t window_items_max = 1u << 18;
constexpr std::uint64_t window_bytes_max = 16u << 20;
// What a thread takes at once: many enough to be read in one go, few enough to end together.
constexpr std::size_t part_bodies_max = 2048;
constexpr std::uint64_t part_bytes_max = 1u << 20;
constexpr std::size_t helpers_max = 7;
// Less is searched before a thread has started.
constexpr std::size_t alone_items_max = 64;
constexpr std::size_t line_bytes_max = 400;

// Sorts as the digest does, nearly always; that is enough to have neighbours beside each other.
std::uint64_t front_of(const schema::BlobRef& ref) {
  std::uint64_t front = 0;
  std::memcpy(&front, &ref.digest(), sizeof(front));
  return std::endian::native == std::endian::little ? __builtin_bswap64(front) : front;
}

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

std::size_t BodySearch::helpers_of_machine() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, helpers_max + 1) - 1;
}

BodySearch::BodySearch(const Log& log, const TextPattern& pattern, EventNames& names,
                       std::size_t context, Sink sink, std::size_t helpers)
    : log_(log),
      pattern_(pattern),
      names_(names),
      context_(context),
      sink_(std::move(sink)),
      finder_(reflect::Schema::embedded_events()),
      helpers_(helpers),
      window_items_(first_window_items),
      filled_(std::make_unique<Window>()),
      searched_(std::make_unique<Window>()) {}

void BodySearch::Window::clear() {
  items.clear();
  names.clear();
  known.clear();
  bodies.clear();
  bytes = 0;
  next = 0;
}

std::size_t BodySearch::names_of(const EventView& event) {
  Window& window = *filled_;
  const Attempt attempt{event.stamp->stream(), event.head().job(), event.head().attempt()};
  if (window.names.empty() || attempt != window.last) {
    const auto [known, is_new] = window.known.try_emplace(attempt, window.names.size());
    if (is_new) window.names.push_back({names_.stream(event), names_.subject(event)});
    window.last = attempt;
    window.last_names = known->second;
  }
  return window.last_names;
}

BodySearch::Item& BodySearch::add_item(const EventView& event, std::string field) {
  const std::size_t names = names_of(event);
  Item& item = filled_->items.emplace_back();
  item.names = names;
  item.revision = event.revision().value;
  item.type = event.type();
  item.field = std::move(field);
  return item;
}

void BodySearch::fields(const EventView& event) {
  // The body holds its texts as they are, so most events are passed over without being taken apart.
  if (!pattern_.may_match_within(text_of(event.body))) return;
  const auto leaves =
      reflect::flatten(reflect::Schema::embedded_events(), event.body, reflect::Defaults::hidden);
  if (!leaves.ok()) return;
  for (const reflect::Leaf& leaf : *leaves) {
    constexpr std::string_view payload = "payload.";
    if (!leaf.path.starts_with(payload)) continue;
    auto lines = matching_lines(pattern_, leaf.text, context_);
    if (lines.empty()) continue;
    add_item(event, leaf.path.substr(payload.size())).lines = std::move(lines);
  }
}

void BodySearch::event(const EventView& event) {
  names_.see(event);
  ++totals_.events;
  fields(event);
  // Captured output is packed piece upon piece, and says what the other bodies say.
  if (event.type() == schema::Payload::OutputCaptured) return;
  const auto blobs = finder_.find(event.body);
  if (!blobs.ok()) return;
  for (const auto& blob : *blobs) {
    Item& item = add_item(event, std::string(blob.field));
    item.ref = blob.ref;
    ++totals_.bodies;
    totals_.bytes += blob.ref.size();
    if (blob.ref.size() == 0) continue;
    filled_->bytes += blob.ref.size();
    filled_->bodies.push_back({front_of(blob.ref), filled_->items.size() - 1});
  }
  if (filled_->items.size() < window_items_ && filled_->bytes < window_bytes_max) return;
  window_items_ = std::min(4 * window_items_, window_items_max);
  hand_over();
}

void BodySearch::finish() {
  hand_over();
  finish_searched();
}

// Starts to search what was gathered, when what was gathered before it has been told.
void BodySearch::hand_over() {
  finish_searched();
  std::swap(filled_, searched_);
  Window& window = *searched_;
  std::ranges::sort(window.bodies, {}, &Body::front);
  if (window.bodies.size() <= alone_items_max && window.bytes <= part_bytes_max) return;
  for (std::size_t i = 0; i < helpers_; ++i) threads_.emplace_back([&] { work(window); });
}

void BodySearch::finish_searched() {
  work(*searched_);
  threads_.clear();
  for (Item& item : searched_->items) {
    totals_.missing += item.missing ? 1u : 0u;
    totals_.lines += item.lines.size();
    if (item.lines.empty()) continue;
    const Names& names = searched_->names[item.names];
    sink_({names.run, item.revision, names.subject, std::string(type_name(item.type)), item.field,
           std::move(item.lines)});
  }
  searched_->clear();
}

// Takes part after part until none is left.
void BodySearch::work(Window& window) const {
  const std::vector<Body>& bodies = window.bodies;
  std::size_t begin = window.next;
  while (begin < bodies.size()) {
    std::size_t end = begin;
    for (std::uint64_t bytes = 0;
         end < bodies.size() && end - begin < part_bodies_max && bytes < part_bytes_max; ++end)
      bytes += window.items[bodies[end].item].ref.size();
    if (!window.next.compare_exchange_weak(begin, end)) continue;
    search_part(window, std::span(bodies).subspan(begin, end - begin));
    begin = window.next;
  }
}

void BodySearch::search_part(Window& window, std::span<const Body> bodies) const {
  std::vector<schema::BlobRef> refs;
  refs.reserve(bodies.size());
  for (const Body& body : bodies) refs.push_back(window.items[body.item].ref);
  get_blobs(log_, refs, [&](std::size_t at, const Result<std::span<const std::byte>>& content) {
    Item& item = window.items[bodies[at].item];
    item.missing = !content.ok();
    if (content.ok()) item.lines = matching_lines(pattern_, text_of(*content), context_);
  });
}

}  // namespace pievt::tools
