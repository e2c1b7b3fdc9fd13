// Whether the events of a run are packed with a dictionary, and with which. Measured, not assumed:
// a sample of frames is packed with each candidate, and a dictionary must save more than it takes
// itself. A run of a few hundred events gets none.
#pragma once

#include <cstdint>
#include <vector>

#include "store/trust/sealed_events.h"

namespace pievt::sealed {

class DictionaryChoice {
 public:
  /// Each event, in order.
  void see(const EventView& event);

  /// Empty: none is worth it.
  Result<std::vector<std::byte>> choose();

 private:
  EventPacker packer_;
  std::vector<std::vector<std::byte>> sample_;  ///< whole frames
  std::size_t sampled_ = 0;
  std::uint64_t events_ = 0, events_sampled_ = 0;
};

}  // namespace pievt::sealed
