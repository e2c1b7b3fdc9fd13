// What must be true of every log, whatever happened. Asked of each event as it is appended.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

#include "pievt/run_state.h"

namespace pievt::simulation {

/// Something that must never happen did.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Invariants {
 public:
  /// Throws Broken where the event must not follow.
  void see(const EventView& event);

  const RunState& state() const { return state_; }

 private:
  void launch(const EventView& event) const;
  void finished(std::uint32_t job);
  void after(const EventView& event) const;
  void require(bool holds, const EventView& event, const std::string& otherwise) const;

  RunState state_;
  std::map<std::uint32_t, std::uint32_t> finished_;   ///< times, since it was opened last
  std::map<std::uint32_t, std::uint32_t> begins_at_;  ///< attempts it had when it was opened last
  std::uint32_t reopened_ = 0;
};

}  // namespace pievt::simulation
