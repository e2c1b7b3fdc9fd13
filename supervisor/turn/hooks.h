// The two commands that people set to hear of a run: `onFinish` when it has ended, `onAttention`
// when something needs them before. A command is told on standard input, as one JSON document, runs
// in a process group of its own with a time limit, and whatever it does is recorded and changes
// nothing: it cannot hold the run up or fail it.
//
// HookRequested is durable before the command starts, HookFinished says how it went. One command
// runs at a time; what happens meanwhile is told together when it is over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "supervisor/process/poller.h"
#include "supervisor/process/process.h"
#include "supervisor/record/run_record.h"
#include "supervisor/turn/attention.h"
#include "supervisor/turn/options.h"

namespace pievt::supervisor {

class Hooks {
 public:
  /// The poller's tokens `first_token` and the one after it are the hooks'.
  Hooks(const Options& options, process::Poller& poller, std::uint64_t first_token,
        const RunState& run)
      : options_(options), poller_(poller), first_token_(first_token), attention_(run) {}

  bool owns(std::uint64_t token) const {
    return token == first_token_ || token == first_token_ + 1;
  }

  /// Proposes what is to be told now. Call before each commit.
  Status plan(RunRecord& record);

  /// Starts what was proposed. Call when that is durable. A command that cannot be started is
  /// recorded as one that is over.
  Status act(RunRecord& record);

  /// Takes what the command wrote, its end, and its time limit; proposes how it went.
  Status check(RunRecord& record);

  /// When check() must be called although nothing woke.
  std::optional<process::Moment> next_deadline() const;

  /// Nothing is running and nothing is left to tell.
  bool is_idle(const RunState& run) const;

  /// The process that somebody here waits for; 0: none.
  pid_t pid() const { return process_ ? process_->id().pid : 0; }

 private:
  struct Wanted {
    std::string hook;
    std::vector<std::string> argv;
    std::string input;
    std::uint32_t number = 0;
    std::uint64_t timeout_ms = 0;
  };

  Status request(RunRecord& record, std::string hook, const settings::Hook& command,
                 std::string reason, const std::vector<std::string>& news);
  Status start(RunRecord& record);
  void read_output();
  Status finish(RunRecord& record, const process::ExitStatus& status);
  void stop_watching();

  const Options& options_;
  process::Poller& poller_;
  const std::uint64_t first_token_;
  Attention attention_;
  std::vector<std::string> news_;
  bool finish_told_ = false;

  std::optional<Wanted> wanted_;  ///< proposed, not started
  std::optional<Wanted> running_;
  std::optional<process::Process> process_;
  process::Fd output_fd_;
  std::string output_;
  process::Moment started_at_{};
  process::Moment next_signal_{};
  enum class Signalled : std::uint8_t { no, term, kill } signalled_ = Signalled::no;
};

}  // namespace pievt::supervisor
