// A process that holds the lock of a run, as its supervisor does, and nothing else of the store.
#pragma once

#include <csignal>
#include <filesystem>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "store/log/writer_lock.h"

namespace pievt {

class LivingSupervisor {
 public:
  LivingSupervisor(const std::filesystem::path& store, const std::string& run) {
    const std::filesystem::path place = store / "attempts" / run;
    std::filesystem::create_directories(place);
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const auto lock = WriterLock::acquire(place, this_process("somebody"), brief_lock_wait);
      const char said = lock.ok() ? 'y' : 'n';
      static_cast<void>(!::write(ready[1], &said, 1));
      while (true) ::pause();
    }
    char said = 0;
    EXPECT_EQ(::read(ready[0], &said, 1), 1);
    EXPECT_EQ(said, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  LivingSupervisor(const LivingSupervisor&) = delete;
  ~LivingSupervisor() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

}  // namespace pievt
