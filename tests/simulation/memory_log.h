// A log in memory, with the bytes the real one would store. It survives the death of a simulated
// supervisor, and it is where a simulation dies: before or after any append.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "pievt/run_state.h"

namespace pievt::simulation {

/// What is thrown where the simulated supervisor dies.
struct Death {};

struct Stored {
  std::uint64_t revision;
  std::uint64_t wall_ns, boot_ns;
  std::vector<std::byte> body;
};

class MemoryLog {
 public:
  void append(std::uint64_t after, const std::vector<NewEvent>& events, std::uint64_t wall_ns,
              std::uint64_t boot_ns);

  const std::vector<Stored>& events() const { return events_; }
  std::uint64_t revision() const { return events_.size(); }

  /// Calls `see` with each event as a reader would get it.
  void read(const std::function<void(const EventView&)>& see) const;

  /// The state the events add up to.
  RunState state() const;

  /// Of all bytes and stamps: two logs with the same one are the same.
  std::uint64_t digest() const;

 private:
  std::vector<Stored> events_;
};

/// A view of one stored event, valid while the event is.
class View {
 public:
  explicit View(const Stored& event);
  const EventView& operator*() const { return view_; }

 private:
  schema::Stamp stamp_;
  EventView view_;
};

}  // namespace pievt::simulation
