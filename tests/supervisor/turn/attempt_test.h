// One attempt of one job in a real store, as far as its end: what tests of settling begin with.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "supervisor/record/run_record.h"
#include "supervisor/turn/live_attempt.h"
#include "tests/store/log/temp_store.h"

namespace pievt::supervisor {

class AttemptTest : public StoreTest {
 protected:
  static constexpr Subject subject{.job = 1, .attempt = 1};

  void SetUp() override {
    open();
    record_.emplace(log(), "r1", RunState());
    schema::RunPlannedT planned;
    planned.run_id = "r1";
    planned.cwd = directory().string();
    happen({std::move(planned)});
    schema::JobDeclaredT job;
    job.id = "a";
    job.acceptance = std::make_unique<schema::AcceptanceT>(contract());
    happen({std::move(job), {.job = 1}});
    happen({schema::RunStartedT()});
    begin(subject);
    live_.subject = subject;
    live_.cwd = directory().string();
  }

  /// What the job must meet.
  virtual schema::AcceptanceT contract() const { return {}; }

  void begin(Subject attempt) {
    schema::AttemptLaunchRequestedT requested;
    requested.directory = "attempts/r1/a/" + std::to_string(attempt.attempt);
    happen({std::move(requested), attempt});
    happen({schema::AttemptLaunchedT(), attempt});
    std::filesystem::create_directories(file("", attempt));
  }
  void end(Subject attempt) {
    happen({schema::AttemptExitedT(), attempt});
    happen({schema::AttemptClassifiedT(), attempt});
  }

  void happen(NewEvent event) {
    const auto done = record_->propose(std::move(event));
    ASSERT_TRUE(done.ok()) << done.error().what;
  }

  /// A file in the attempt's directory.
  std::filesystem::path file(const std::string& name, Subject attempt = subject) const {
    return store() / "attempts/r1/a" / std::to_string(attempt.attempt) / name;
  }
  void write(const std::string& name, std::string_view text) {
    std::ofstream(file(name), std::ios::binary) << text;
  }

  std::string text_of(const schema::BlobRef& ref) {
    const auto bytes = log().get_blob(ref);
    EXPECT_TRUE(bytes.ok());
    if (!bytes.ok()) return {};
    return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
  }

  std::optional<RunRecord> record_;
  LiveAttempt live_;
};

}  // namespace pievt::supervisor
