// What another attempt of a job takes over from the one before: its pi session where the plan says
// so, and a few sentences about how it ended.
#pragma once

#include <cstdint>
#include <string>

#include "supervisor/record/run_record.h"

namespace pievt::supervisor {

struct Before {
  /// The attempt whose session goes on, and the session; 0 and empty: a fresh one.
  std::uint32_t session_from = 0;
  std::string session_id;
  std::string session;
  /// What the new attempt is told. In a session that goes on it is the whole prompt: the task is
  /// there already. Otherwise it stands before the prompt, and is empty where nothing is to be
  /// told.
  std::string told;
};

/// `job`: about to be attempted again, or for the first time, which has nothing before it. `cwd`:
/// where it will work. Commits: the session is read from the log.
Result<Before> before_attempt(RunRecord& record, std::uint32_t job, const std::string& cwd);

/// The sentences. Pure. `resumed`: for a session that goes on.
std::string told_about(const JobState& job, const AttemptState& previous, bool resumed);

}  // namespace pievt::supervisor
