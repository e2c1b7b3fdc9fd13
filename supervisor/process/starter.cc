// See starter.h.
#include "supervisor/process/starter.h"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::process {

Result<std::unique_ptr<Starter>> Starter::create(std::size_t threads) {
  PIEVT_ASSERT(threads > 0);
  Fd news(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!news.is_open()) return os_error("cannot make a descriptor that tells of starts", errno);
  std::unique_ptr<Starter> made(new Starter(std::move(news)));
  // Signals are the loop's.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = 0;
  try {
    while (made->threads_.size() < threads)
      made->threads_.emplace_back([starter = made.get()] { starter->work(); });
  } catch (const std::system_error& error) {
    failed = error.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) return os_error(Errc::busy, "cannot make a thread that starts children", failed);
  std::unique_lock lock(made->mutex_);
  made->idle_.wait(lock, [&] { return made->thread_ids_.size() == threads; });
  return made;
}

Starter::~Starter() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    tasks_.clear();
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Starter::work() {
  std::unique_lock lock(mutex_);
  thread_ids_.push_back(::gettid());
  idle_.notify_all();
  for (;;) {
    wanted_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    ++working_;
    lock.unlock();
    task();
    task = nullptr;  // what it holds goes before it counts as done
    lock.lock();
    --working_;
    idle_.notify_all();
  }
}

void Starter::add(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wanted_.notify_one();
}

void Starter::start(std::uint64_t token, Start start) {
  add([this, token, start = std::move(start)] {
    Result<Spawned> spawned = start();
    {
      const std::lock_guard lock(mutex_);
      started_.push_back({token, std::move(spawned)});
    }
    const std::uint64_t one = 1;
    static_cast<void>(::write(news_.get(), &one, sizeof one));
  });
}

void Starter::later(Chore chore) {
  add(std::move(chore));
}

std::vector<Starter::Started> Starter::take() {
  std::uint64_t count = 0;
  static_cast<void>(::read(news_.get(), &count, sizeof count));
  const std::lock_guard lock(mutex_);
  return std::exchange(started_, {});
}

void Starter::finish() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return tasks_.empty() && working_ == 0; });
}

}  // namespace pievt::process
