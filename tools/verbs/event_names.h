// Events carry numbers; people know names. Streams and jobs are numbered by the log, and the names
// are said once, when they are declared.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "pievt/log.h"

namespace pievt::tools {

/// Learns names from the events that pass and looks the others up. Keeps the names of the last few
/// streams only, so that reading a whole store takes no more memory than reading one run.
class EventNames {
 public:
  explicit EventNames(const Log& log) : log_(&log) {}

  /// Every event, in any order, before it is asked about.
  void see(const EventView& event);

  /// The event's stream, "run/...".
  const std::string& stream(const EventView& event);

  /// The id of the event's job. Empty where it is about no job; the number where nobody declared
  /// it.
  std::string job(const EventView& event);

  /// "intro/2", "intro", "_probe/1", or empty where it is about the whole run.
  std::string subject(const EventView& event);

 private:
  void look_up(const EventView& event);

  const Log* log_;
  std::unordered_map<std::uint32_t, std::string> streams_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> jobs_;  // by stream and number
  std::map<std::uint32_t, bool> looked_up_;                              // streams
};

}  // namespace pievt::tools
