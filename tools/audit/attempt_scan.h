// What one attempt was seen to do, as far as it decides: which requests failed, what its tools
// wrote, how it ended. Read from the last stretch of its events and nothing else, so that it is
// there at once on a run of a million events.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pievt/event.h"
#include "pievt/log.h"
#include "pievt/run_state.h"
#include "tools/audit/report.h"

namespace pievt::audit {

/// The last stretch of an attempt that is looked through.
inline constexpr std::uint64_t stretch_max = 4'000;

struct AttemptScan {
  struct Call {
    std::string path;
    std::uint64_t revision = 0;
  };

  /// Takes an event of the attempt, in either order.
  void take(const EventView& event);

  /// Paths that write and edit calls which worked have named, each once, in the order of the calls.
  std::vector<Call> written() const;

  std::uint64_t first_failure = 0, last_failure = 0;  ///< requests that the provider did not answer
  std::uint64_t classified = 0, exited = 0;
  bool whole = false;  ///< the stretch reached back to its beginning

 private:
  std::map<std::uint64_t, Call> calls_;   ///< of writing tools, by the number of the call
  std::set<std::uint64_t> failed_calls_;  ///< of all tools
};

/// Looks through the last events of an attempt of the run.
Result<AttemptScan> scan_attempt(const Log& log, const RunState& run, std::uint32_t job,
                                 const AttemptState& attempt);

}  // namespace pievt::audit
