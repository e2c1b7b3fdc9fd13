// Saved states are only shortcuts, but whoever believes one that differs from the log believes
// something that did not happen. So all of them are folded again, along with the one pass.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pievt/projection.h"
#include "pievt/run_state.h"
#include "store/log/log_impl.h"
#include "store/trust/findings.h"

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
  struct Run {
    std::string name;
    Revision at;
    RunState state;
  };

  std::optional<Checkpoint> saved_state(const std::string& name);
  void begin_run(const std::string& name);
  void compare(const std::string& name, const std::vector<std::byte>& folded, const Place& place);

  const Log* log_;
  Findings* findings_;
  std::vector<View> views_;
  std::unordered_map<std::uint32_t, Run> runs_;  // by the number of their streams
};

}  // namespace pievt
