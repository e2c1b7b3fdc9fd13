// One piece of work beside the thread that has it: the smallest way to use a second processor
// without giving up an order. Whoever starts the next piece has waited for the one before.
#pragma once

#include <functional>
#include <future>

#include "pievt/result.h"

namespace pievt::tools {

class Beside {
 public:
  Beside() = default;
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() { static_cast<void>(wait()); }

  /// After wait(). What `work` uses must be left alone until the next wait().
  void start(std::function<Status()> work) {
    running_ = std::async(std::launch::async, std::move(work));
  }

  /// What the last piece said; ok where there was none.
  Status wait() { return running_.valid() ? running_.get() : Status(); }

 private:
  std::future<Status> running_;
};

}  // namespace pievt::tools
