#include "tools/exporters/event_copies.h"

#include <algorithm>
#include <cstring>

namespace pievt::tools {
namespace {

constexpr std::size_t block_words = (std::size_t{256} << 10) / sizeof(std::uint64_t);
constexpr std::size_t stamp_words = sizeof(schema::Stamp) / sizeof(std::uint64_t);
static_assert(stamp_words * sizeof(std::uint64_t) == sizeof(schema::Stamp));

}  // namespace

std::uint64_t* EventCopies::take(std::size_t words) {
  while (block_ < blocks_.size() && blocks_[block_].size - used_ < words) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const std::size_t size = std::max(block_words, words);
    blocks_.push_back({std::make_unique_for_overwrite<std::uint64_t[]>(size), size});
  }
  std::uint64_t* const taken = blocks_[block_].words.get() + used_;
  used_ += words;
  return taken;
}

const EventView& EventCopies::add(const EventView& event) {
  const std::size_t body_words = (event.body.size() + 7) / 8;
  std::uint64_t* const stamp = take(stamp_words + body_words);
  std::uint64_t* const body = stamp + stamp_words;
  std::memcpy(stamp, event.stamp, sizeof(*event.stamp));
  std::memcpy(body, event.body.data(), event.body.size());
  bytes_ += (stamp_words + body_words) * sizeof(std::uint64_t);
  const auto envelope = reinterpret_cast<const std::byte*>(event.envelope) - event.body.data();
  const auto* const copied = reinterpret_cast<const std::byte*>(body);
  return events_.emplace_back(
      EventView{event.sequence, reinterpret_cast<const schema::Stamp*>(stamp),
                reinterpret_cast<const schema::Envelope*>(copied + envelope),
                std::span(copied, event.body.size()), event.id});
}

void EventCopies::clear() {
  events_.clear();
  block_ = used_ = bytes_ = 0;
}

}  // namespace pievt::tools
