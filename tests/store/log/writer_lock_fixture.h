// A store directory, its writer lock in this process, and others that try to get it.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "store/log/writer_lock.h"
#include "tests/store/log/roles.h"
#include "tests/store/log/temp_store.h"

namespace pievt::test {

// Long enough for anything on a slow machine; a test that waits so long has failed.
inline constexpr std::chrono::seconds patience{30};

class WriterLockTest : public testing::Test {
 protected:
  std::filesystem::path lock_path() const { return store.path() / "LOCK"; }

  Result<WriterLock> acquire(std::chrono::milliseconds wait = {}) const {
    return WriterLock::acquire(store.path(), this_process("tester"), wait);
  }

  // Another process that tries once, or for `patience`.
  Actor other(std::chrono::milliseconds wait = {}) const {
    return Actor("hold_lock", {store.path(), "another", std::to_string(wait.count())});
  }

  static std::string outcome(Actor& actor) {
    EXPECT_EQ(actor.line(), "trying");
    return actor.line();
  }

  void replace_lock() const {
    std::filesystem::remove(lock_path());
    std::ofstream(lock_path()) << "not a record";
  }

  TempDirectory store;
};

}  // namespace pievt::test
