// The words that tests of runs are written in: a run in memory, and events by short names.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "pievt/run_state.h"

namespace pievt {

template <class Table>
NewEvent event(Table payload, Subject subject = {}) {
  return {std::move(payload), subject};
}

inline NewEvent planned(std::string run_id = "r-1", std::string name = "plan") {
  schema::RunPlannedT payload;
  payload.run_id = std::move(run_id);
  payload.name = std::move(name);
  return {std::move(payload)};
}

inline NewEvent declared(std::uint32_t job, std::string id = {}) {
  schema::JobDeclaredT payload;
  payload.id = id.empty() ? "job" + std::to_string(job) : std::move(id);
  return {std::move(payload), {.job = job}};
}

inline NewEvent finished(std::uint32_t job,
                         schema::JobStatus status = schema::JobStatus::succeeded) {
  schema::JobFinishedT payload;
  payload.status = status;
  return {std::move(payload), {.job = job}};
}

template <class Table>
NewEvent of_attempt(std::uint32_t job, std::uint32_t attempt) {
  return {Table{}, {.job = job, .attempt = attempt}};
}

/// A run that only ever has what `check` admits.
class MemoryRun {
 public:
  /// The event happens if it may.
  Status propose(const NewEvent& event) {
    PIEVT_TRY(check(state_, event));
    ++revision_;
    apply_new(state_, event, {revision_}, 1'000'000'000 * revision_, 1'000'000 * revision_);
    return {};
  }

  /// Fails the test where it may not.
  void happen(const NewEvent& event) {
    const Status done = propose(event);
    ASSERT_TRUE(done.ok()) << done.error().what;
  }

  template <class Table>
  Status attempt_event(std::uint32_t job, std::uint32_t attempt) {
    return propose(of_attempt<Table>(job, attempt));
  }

  const RunState& state() const { return state_; }

 private:
  RunState state_;
  std::uint64_t revision_ = 0;
};

/// A run with `jobs` jobs that has been started.
inline MemoryRun started_run(std::uint32_t jobs = 1) {
  MemoryRun run;
  run.happen(planned());
  for (std::uint32_t job = 1; job <= jobs; ++job) run.happen(declared(job));
  run.happen(event(schema::RunStartedT{}));
  return run;
}

}  // namespace pievt
