// Saved states are only shortcuts, but whoever believes one that differs from the log believes
// something that did not happen. So all of them are folded again, along with the one pass.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pievt/projection.h"
#include "pievt/run_state.h"
#include "store/log/log_impl.h"
#include "store/trust/findings.h"
#include "store/views/run_clock.h"

namespace pievt {

class ViewChecks {
 public:
  ViewChecks(const Log& log, Findings& findings) : log_(&log), findings_(&findings) {}

  /// Finds the saved states that this program would use. `run`: only this run's; empty: all.
  void begin(std::string_view run);

  /// The events in their order, all of them.
  void event(const EventView& event);

  /// After the last event.
  void finish();

 private:
  struct View {
    std::string name;
    std::unique_ptr<Projection> projection;
    Sequence at;
  };
  // What is saved of one run, and its events as far as they were read.
  struct Run {
    std::string id;
    std::multimap<std::uint64_t, std::string> states{};  // names by revision, on the way and newest
    std::string clock{};                                 // its name; empty: none is saved
    Revision clock_at{};
    RunState state{};
    RunClock read_clock{};

    bool done() const { return states.empty() && clock.empty(); }
  };

  std::optional<Checkpoint> saved_state(const std::string& name);
  std::vector<std::string> saved_names(std::string_view prefix);
  void begin_run(std::string_view run_id);
  void check_run(Run& run, const EventView& event);
  void compare(const std::string& name, const std::vector<std::byte>& folded, const Place& place);

  const Log* log_;
  Findings* findings_;
  std::vector<View> views_;
  std::unordered_map<std::uint32_t, Run> runs_;  // by the number of their streams
};

}  // namespace pievt
