// What the log knows of tools that were told to write. Each event is read once, whoever asks: two
// hundred attempts that end together would otherwise read all that two hundred said, each.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/record/run_record.h"
#include "supervisor/turn/attribution.h"

namespace pievt::supervisor {

/// Of one run.
class ToolWrites {
 public:
  /// The write and edit calls that began from revision `from` on, of all attempts of the run. Paths
  /// are resolved against the directory each attempt worked in. Commits what was proposed of calls,
  /// because the log is read.
  ///
  /// `from` is the beginning of an attempt that is not judged yet: what no such attempt can ask for
  /// any more is forgotten.
  Result<std::vector<ToolWrite>> since(RunRecord& record, Revision from);

 private:
  Status read_on(RunRecord& record, Revision oldest);

  Revision read_{};  ///< as far as the log was read
  std::deque<ToolWrite> writes_;
  std::map<std::pair<Who, std::string>, std::uint64_t> open_;  ///< by call: its revision
};

/// The directory the attempt works in.
std::string directory_of(const RunState& run, Who who);

}  // namespace pievt::supervisor
