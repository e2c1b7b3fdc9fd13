// The supervisor: one thread, one loop. Each turn collects what woke it, decides, writes what it
// decided, and only then acts. What it would do is therefore always in the log before it is done.
// Threads beside it (process/starter.h) only carry out what takes long and needs no decision.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "supervisor/control/server.h"
#include "supervisor/process/oom_counter.h"
#include "supervisor/process/open_files.h"
#include "supervisor/process/poller.h"
#include "supervisor/process/signals.h"
#include "supervisor/process/starter.h"
#include "supervisor/process/watch.h"
#include "supervisor/turn/admission.h"
#include "supervisor/turn/hooks.h"
#include "supervisor/turn/launcher.h"
#include "supervisor/turn/live_attempt.h"
#include "supervisor/turn/options.h"
#include "supervisor/turn/secret_policy.h"
#include "supervisor/turn/workspaces.h"

namespace pievt::supervisor {

class Supervisor {
 public:
  /// `signals` must have been blocked as the first thing the program did. `record` holds a planned
  /// or recovered run, or one that is about to be planned, and its lock (launch/run_lock.h) is
  /// held: whoever supervises a run serves its control socket.
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

  // What the poller tells of: attempts have numbers of 32 bits from 2, and nobody starts that many.
  static constexpr std::uint64_t starter_token = (1ull << 32) - 4;
  static constexpr std::uint64_t writes_token = (1ull << 32) - 3;
  static constexpr std::uint64_t hook_token = (1ull << 32) - 2;
  static constexpr std::uint64_t control_token = 1ull << 32;  // and all beyond

  Supervisor(RunRecord& record, const Options& options, const process::Signals& signals,
             Launcher launcher, process::RaisedFileLimit files, process::Poller poller,
             process::Watch watch, Admission admission, std::unique_ptr<process::Starter> starter)
      : record_(record),
        options_(options),
        secrets_(secret_policy(options)),
        signals_(signals),
        launcher_(std::move(launcher)),
        files_(std::move(files)),
        poller_(std::move(poller)),
        watch_(std::move(watch)),
        admission_(std::move(admission)),
        workspaces_(options.store),
        starter_(std::move(starter)) {}

  // supervisor.cc: the turn
  Status turn();
  Status wait();
  Result<std::vector<process::Wakeup>> next_wakeups();
  Status plan();
  Status take_signal();
  Status check_deadlines();
  Status pump_outputs();
  Status look_at(Token token, LiveAttempt& attempt);
  Status pump(LiveAttempt& attempt);
  process::Moment next_deadline() const;
  Error ended_by(Error error) const;
  void show_change();

  // limits.cc: what ends an attempt before its time, and what keeps one from beginning
  Status enforce_stops();
  Status check_silence(Token token, LiveAttempt& attempt, process::Moment now);
  std::optional<process::Moment> silent_at(const LiveAttempt& attempt) const;
  Result<bool> admit(std::optional<process::Slot>& slot);
  Status end_wait();
  // control.cc: what others ask for
  class Requests;
  Status take_requests();
  Status caller_gone(const control::Server::Gone& gone);
  void expect_caller();
  void send_answers();
  void tell_subscribers(control::Server::Tell tell);
  Result<Revision> request_stop(schema::StopMode mode, std::string reason,
                                std::unique_ptr<schema::RequesterT> asked_by);
  Status stop_attempts_of(std::uint32_t job, schema::StopReason reason);

  // attempts.cc: one attempt's life
  Token add(LiveAttempt attempt);
  Status input(Token token, process::ChildInput input);
  Status stop(Token token, schema::StopReason reason, process::ChildInput how);
  Status carry_out_acts();
  Status carry_out(const Act& act);
  Status start(Token token, LiveAttempt& attempt);
  Status take_started();
  Status started(Token token, LiveAttempt& attempt, Result<process::Spawned> spawned);
  Status send(Token token, LiveAttempt& attempt, int signal);
  std::vector<pid_t> tracked_children() const;
  bool may_have_left_processes(const LiveAttempt& attempt) const;
  Status sweep(Token token, LiveAttempt& attempt);
  Status drain(Token token, LiveAttempt& attempt);
  Status finish(Token token, LiveAttempt& attempt);
  Status probe_again(Subject subject);
  Status reap(Token token);
  Status open_output(LiveAttempt& attempt);
  void set_deadline(LiveAttempt& attempt) const;
  std::optional<std::uint64_t> memory_kills() const;
  Status check_space() const;

  // places.cc: where attempts work
  Result<std::string> prepare_place(const LiveAttempt& attempt);
  Status ask_to_remove_worktree(Subject subject);
  Status remove_worktrees();
  Status recover_worktrees();

  // gate_commands.cc: commands of a contract, between an attempt's end and its verdict
  Result<bool> ask_commands(Token token, LiveAttempt& attempt);
  std::filesystem::path command_file(const LiveAttempt& attempt, std::uint32_t number) const;
  Status end_lost_command(LiveAttempt& attempt, std::uint32_t number);
  Status command_input(Token token, LiveAttempt& attempt, process::ChildInput what);
  Status carry_out_command(const Act& act, LiveAttempt& attempt);
  Status start_command(Token token, LiveAttempt& attempt);
  Status reap_command(Token token, LiveAttempt& attempt);
  Status end_command(LiveAttempt& attempt);

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
  const secrets::Policy secrets_;
  const process::Signals& signals_;
  Launcher launcher_;
  process::RaisedFileLimit files_;
  process::Poller poller_;
  process::Watch watch_;
  Admission admission_;
  Workspaces workspaces_;
  std::optional<process::OomCounter> oom_;
  CaptureTools tools_;
  std::map<Token, LiveAttempt> attempts_;
  Token next_token_ = 2;
  Token looked_at_ = 0;  ///< whose output was looked at last
  std::deque<Act> acts_;
  std::size_t acts_left_ = 0;                   ///< of those whose intents are durable
  std::vector<launch::AttemptName> to_remove_;  ///< files of settled attempts, once that is durable
  std::vector<Subject> worktrees_to_remove_;    ///< once that is durable
  std::uint64_t shown_revision_ = 0;
  process::Moment shown_at_{};
  bool more_to_launch_ = false;              ///< than one turn may start
  std::optional<std::uint64_t> wake_at_ns_;  ///< when the planner wants to be asked again

  std::unique_ptr<control::Server> control_;
  std::optional<Hooks> hooks_;
  /// To what has been asked in this turn, once that is durable.
  std::vector<std::pair<control::Server::ConnectionId, control::Answer>> answers_;
  std::optional<process::Moment> caller_due_;  ///< by then the run's caller holds it, or is dead
  std::uint64_t told_revision_ = 0;
  process::Moment told_at_{};
  std::unique_ptr<process::Starter> starter_;  ///< last: it works with what is above
};

}  // namespace pievt::supervisor
