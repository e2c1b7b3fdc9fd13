// The supervisor: one thread, one loop. Each turn collects what woke it, decides, writes what it
// decided, and only then acts. What it would do is therefore always in the log before it is done.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "supervisor/process/oom_counter.h"
#include "supervisor/process/open_files.h"
#include "supervisor/process/poller.h"
#include "supervisor/process/signals.h"
#include "supervisor/process/watch.h"
#include "supervisor/turn/launcher.h"
#include "supervisor/turn/live_attempt.h"
#include "supervisor/turn/options.h"

namespace pievt::supervisor {

class Supervisor {
 public:
  /// `signals` must have been blocked as the first thing the program did. `record` holds a planned
  /// or recovered run.
  static Result<std::unique_ptr<Supervisor>> create(RunRecord& record, const Options& options,
                                                    const process::Signals& signals);

  /// Starts a run that is only planned, or takes one over whose supervisor is gone.
  Status begin();

  /// Works until the run has finished. Errors are the store's: the run can be resumed by another
  /// supervisor. Errc::no_space: the disk is full; what fails for want of room is not held against
  /// any job.
  Status run();

 private:
  // What is to be done once its intent is durable.
  struct Act {
    std::uint32_t token;
    process::ChildMove move;
  };
  using Token = std::uint32_t;

  Supervisor(RunRecord& record, const Options& options, const process::Signals& signals,
             Launcher launcher, process::RaisedFileLimit files, process::Poller poller,
             process::Watch watch)
      : record_(record),
        options_(options),
        signals_(signals),
        launcher_(std::move(launcher)),
        files_(std::move(files)),
        poller_(std::move(poller)),
        watch_(std::move(watch)) {}

  // supervisor.cc: the turn
  Status turn();
  Status wait();
  Status plan();
  Status take_signal();
  Status check_deadlines();
  Status pump_outputs();
  Status pump(LiveAttempt& attempt);
  process::Moment next_deadline() const;
  Error ended_by(Error error) const;
  void show_change();

  // attempts.cc: one attempt's life
  Token add(LiveAttempt attempt);
  Status input(Token token, process::ChildInput input);
  Status stop(Token token, schema::StopReason reason, process::ChildInput how);
  Status carry_out(const Act& act);
  Status start(Token token, LiveAttempt& attempt);
  Status send(Token token, LiveAttempt& attempt, int signal);
  Status sweep(Token token, LiveAttempt& attempt);
  Status drain(Token token, LiveAttempt& attempt);
  Status finish(Token token, LiveAttempt& attempt);
  Status probe_again(Subject subject);
  Status reap(Token token);
  Status open_output(LiveAttempt& attempt);
  void set_deadline(LiveAttempt& attempt) const;
  std::optional<std::uint64_t> memory_kills() const;
  Status check_space() const;

  // recovery.cc: attempts that an earlier supervisor left
  Status begin_new();
  Status recover();
  Status recover_attempt(Subject subject);
  Result<std::optional<process::Process>> find_process(const AttemptState& attempt,
                                                       schema::LostReason& lost);
  Status request_probes();
  Status request_probe(const std::string& model);

  RunRecord& record_;
  const Options& options_;
  const process::Signals& signals_;
  Launcher launcher_;
  process::RaisedFileLimit files_;
  process::Poller poller_;
  process::Watch watch_;
  std::optional<process::OomCounter> oom_;
  CaptureTools tools_;
  std::map<Token, LiveAttempt> attempts_;
  Token next_token_ = 2;
  std::deque<Act> acts_;
  std::vector<launch::AttemptName> to_remove_;  ///< files of settled attempts, once that is durable
  std::uint64_t shown_revision_ = 0;
  process::Moment shown_at_{};
};

}  // namespace pievt::supervisor
