// Locks and wakes between processes can only be tested with processes. The test program starts
// itself again in a *role*: `log_test --role=<name> <argument>...`. A role talks in lines on its
// standard output and is told to go on or to end by its standard input; nothing here waits by time.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "store/log/fd.h"

namespace pievt::test {

using Arguments = std::span<const std::string>;

/// <store> <program> <wait_ms>: says "trying", tries to get the writer lock, says "held" or what
/// the error was, and keeps the lock until its input ends.
int hold_lock(Arguments arguments);

/// <store>: takes the writer lock and forks; the child says "forked", and "over" when its input
/// ends.
int hold_lock_and_fork(Arguments arguments);

/// <file>: puts a record lock on it, says "locked", and keeps it until its input ends.
int lock_a_file(Arguments arguments);

/// <store> <committed>: says "ready", then each committed sequence it is woken for, to the given
/// one.
int follow_head(Arguments arguments);

/// <store> <durability> <round>: opens or makes the store, says "open", then appends to the stream
/// `work` for ever and says "acked <append> <last sequence>" after each.
int append_for_ever(Arguments arguments);

/// <store> <bytes>: opens the store, forbids itself files larger than that, appends until it is
/// refused, lifts the limit and goes on. Says what happens in lines, see log_roles.cc.
int append_until_full(Arguments arguments);

/// <store> <program>: opens the store for writing, says "open" and keeps it until its input ends.
int hold_store(Arguments arguments);

/// <store> <program> [<wait_ms>]: opens the store for writing, says "writer" or "client", and does
/// what it is told in lines, saying the result of each in one line (see obey.cc), until its input
/// ends.
int obey(Arguments arguments);

/// The players of the kill loop, see kill_loop_roles.cc.
int kill_loop_worker(Arguments arguments);
int kill_loop_reader(Arguments arguments);
int kill_loop_follower(Arguments arguments);

/// Says `line` to whoever started this role, at once.
void say(std::string_view line);

/// Returns when whoever started this role has closed its input or died.
void wait_for_end_of_input();

/// A process in a role. Killed and reaped when it goes.
class Actor {
 public:
  Actor(std::string_view role, std::vector<std::string> arguments);
  Actor(Actor&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)),
        pidfd_(std::move(other.pidfd_)),
        input_(std::move(other.input_)),
        output_(std::move(other.output_)),
        said_(std::move(other.said_)) {}
  Actor& operator=(Actor&&) = delete;
  ~Actor();

  pid_t pid() const { return pid_; }

  /// The next line it says; "<end>" when it says nothing more.
  std::string line();

  /// Writes a line to its input.
  void tell(std::string_view line);

  /// As tell(), and its answer.
  std::string ask(std::string_view line) {
    tell(line);
    return this->line();
  }

  /// Ends its input.
  void let_go() { input_ = Fd(); }

  /// Returns when it is gone, by its pidfd: its exit status, or minus the signal that ended it.
  int wait();

  /// SIGSTOP, and waits until it has stopped; SIGCONT.
  void stop();
  void go_on();

  /// Waits for its end, at most so long: whether it is gone.
  bool ends_within(std::chrono::milliseconds time) const;

  /// SIGKILL, and waits.
  int kill();

 private:
  pid_t pid_ = 0;
  Fd pidfd_;
  Fd input_;
  Fd output_;
  std::string said_;
};

}  // namespace pievt::test
