// Why a job stands as it does: the rule that decided, what it rested on, the way back to the first
// cause, and what would have changed the verdict. Reads single events and the last stretch of an
// attempt, never the whole run, so that it answers at once on a run of a million events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "pievt/ruleset.h"
#include "pievt/run_state.h"
#include "tools/audit/report.h"

namespace pievt::audit {

/// An event on the way, and what it says in one line.
struct WhyStep {
  std::uint64_t revision = 0;
  std::uint64_t at_ns = 0;
  std::uint64_t causation = 0;  ///< the event that made it happen, where the record says
  std::string type;
  std::string text;
};

struct WhyCheck {
  std::string kind, target, expected, actual, excerpt;
  schema::CheckStatus status{};
  std::uint64_t revision = 0;
};

/// One verdict: the recorded one, or another ruleset's of the same facts.
struct WhyVerdict {
  std::string ruleset;
  schema::JobStatus status{};
  schema::FailureKind failure{};
  schema::WorkEnding ending{};
  schema::BlockingGate blocking{};
  schema::RetryDecision retry{};
  std::string reason;
  std::string rule;  ///< which rule decided, in words
  std::vector<std::string> weak;
  std::uint64_t revision = 0;  ///< 0: it is not in the record
};

struct Why {
  std::string run_id, job;
  std::uint32_t attempt = 0;
  bool ended = false;
  WhyVerdict recorded;
  std::optional<WhyVerdict> judged;  ///< by another ruleset, where one was asked for
  std::string first_cause;
  Events first_cause_events;
  std::vector<WhyCheck> checks;
  Events evidence;                   ///< the events that the verdict names
  std::vector<WhyStep> chain;        ///< from the verdict back to the first cause
  std::vector<std::string> earlier;  ///< attempts before this one, a line each
  std::vector<std::string> would_change;
  std::vector<std::string> unknown;
};

/// `attempt` 0: the job's last. `again`: judge the same facts by these rules too, or null.
/// not_found where the job had not been declared by then.
Result<Why> explain(const Log& log, const RunState& run, std::uint32_t job, std::uint32_t attempt,
                    const Ruleset* again);

}  // namespace pievt::audit
