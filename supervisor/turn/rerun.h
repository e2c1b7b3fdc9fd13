// A new run from the jobs of an old one, with everything they had: prompt, context, contract,
// retry, limits, metadata, model, directory. What the old run's plan expanded to is taken from its
// record, not expanded again, so that neither a file that has changed since nor a template can make
// it another job.
//
// A job that depended on one that is not run again needs no dependency on it: that one's success is
// a fact. Its final message, where the prompt uses it, is put into the prompt.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "supervisor/record/run_record.h"

namespace pievt::supervisor {

struct RerunChoice {
  enum class Which : std::uint8_t { all, not_succeeded, named } which = Which::not_succeeded;
  std::vector<std::string> jobs;           ///< their ids; for `named`
  std::vector<schema::FailureKind> kinds;  ///< not empty: only jobs that failed so
  std::optional<std::string> model;        ///< in the place of each job's own
  std::optional<std::string> prompt;       ///< in the place of each job's own
  std::uint32_t concurrency = 0;           ///< 0: the old run's
};

/// What the new run consists of: a job's number in the old run, and its declaration in the new one.
struct RerunJob {
  std::uint32_t old_number = 0;
  schema::JobDeclaredT declared;
};

/// The jobs of the new run, in the old order. not_found: no job is like that; invalid: a job's
/// dependency did not succeed and is not among them, or a change makes no sense.
Result<std::vector<RerunJob>> choose_jobs(Log& log, const RunState& old, const RerunChoice& choice);

/// Proposes and commits RunPlanned and the declarations. `record` is of the new run; `old` lies in
/// the same log.
Status plan_rerun(RunRecord& record, const RunState& old, std::vector<RerunJob> jobs,
                  std::uint32_t concurrency, const schema::RequesterT& asked_by);

}  // namespace pievt::supervisor
