// Events that are kept for a moment, so that one thread can read on while another works on them. A
// view of a source is good until the source moves on; these are good until they are cleared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pievt/event.h"

namespace pievt::tools {

class EventCopies {
 public:
  /// Copies the stamp and the body, which lies as aligned as it does in a page.
  const EventView& add(const EventView& event);

  std::span<const EventView> events() const { return events_; }
  /// What the events take.
  std::size_t bytes() const { return bytes_; }

  /// Keeps the memory for the next ones.
  void clear();

 private:
  struct Block {
    std::unique_ptr<std::uint64_t[]> words;
    std::size_t size = 0;
  };
  std::uint64_t* take(std::size_t words);

  std::vector<Block> blocks_;
  std::size_t block_ = 0, used_ = 0;  ///< which block is being filled, and how far
  std::size_t bytes_ = 0;
  std::vector<EventView> events_;
};

}  // namespace pievt::tools
