// Which checks of a contract were not met, in words for people: "out/r5.md missing", "out/stub.md
// has 14 bytes, at least 100 were asked for". The same words stand for the same failure in every
// job, so that jobs with one cause can be found by them.
#pragma once

#include <string>

#include "pievt/run_state.h"

namespace pievt::audit {

enum class Naming : std::uint8_t {
  exactly,
  generally,  ///< the job's own id is `<id>` where it is a word of a path: "out/<id>.md"
};

/// Of the job's last attempt, joined with "; "; the job's reason where no check is recorded.
std::string unmet_checks(const RunState& run, const JobState& job, Naming naming);

/// Whether what is not met is, all of it, where was written.
bool only_writes_unmet(const RunState& run, const JobState& job);

}  // namespace pievt::audit
