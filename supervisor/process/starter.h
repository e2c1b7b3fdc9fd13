// Children are started by threads of their own: making a child's files and waiting until it has
// become its program (spawn.h) takes milliseconds on a busy machine, and meanwhile the loop reads
// what others say. The same threads remove what nobody needs any more.
//
// Nothing is decided here. The loop hands over work that is complete, hears by a descriptor that
// something was started, and takes it; the order in the log is the loop's. Work of several threads
// runs at the same time, so one start that hangs (a program on a disk over the network) does not
// keep the others waiting.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pievt/result.h"
#include "supervisor/process/fd.h"
#include "supervisor/process/spawn.h"

namespace pievt::process {

class Starter {
 public:
  using Start = std::function<Result<Spawned>()>;
  using Chore = std::function<void()>;

  struct Started {
    std::uint64_t token = 0;
    Result<Spawned> spawned;
  };

  /// Errc::busy when there can be no more threads.
  static Result<std::unique_ptr<Starter>> create(std::size_t threads);

  /// Waits for what is being done, and leaves out what was not begun. A child whose start was not
  /// taken runs on.
  ~Starter();
  Starter(const Starter&) = delete;
  Starter& operator=(const Starter&) = delete;

  /// To poll for reading: something was started, or could not be. See take().
  int fd() const { return news_.get(); }

  /// Does `start` on one of the threads, soon. `token` comes back with how it went.
  void start(std::uint64_t token, Start start);

  /// Does what nobody waits for, after what was asked for before.
  void later(Chore chore);

  /// What was started since the last call. Does not wait.
  std::vector<Started> take();

  /// Waits until everything that was asked for is done; what was started is still to be taken.
  void finish();

  /// The threads whose children are all children that were started here: for reap_orphans().
  const std::vector<pid_t>& threads() const { return thread_ids_; }

 private:
  explicit Starter(Fd news) : news_(std::move(news)) {}
  void work();
  void add(std::function<void()> task);

  Fd news_;
  std::mutex mutex_;
  std::condition_variable wanted_;  ///< there is work, or no more will come
  std::condition_variable idle_;    ///< a thread has done something, or has begun to live
  std::deque<std::function<void()>> tasks_;
  std::vector<Started> started_;
  std::vector<pid_t> thread_ids_;  ///< written before create() returns
  std::size_t working_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace pievt::process
