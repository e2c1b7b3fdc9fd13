// Commands that tell people: real ones, started for a run in a real store, by turns of the loop.
#include "supervisor/turn/hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/temp_store.h"

namespace pievt::supervisor {
namespace {

using ::testing::HasSubstr;

class HooksTest : public StoreTest {
 protected:
  void SetUp() override {
    open();
    options_.store = store();
    options_.environment = {{"PATH", "/usr/bin:/bin"}};
    poller_.emplace(process::Poller::create().value());
    record_.emplace(log(), "r1", RunState());
    schema::RunPlannedT planned;
    planned.run_id = "r1";
    planned.name = "night";
    planned.cwd = directory().string();
    happen({std::move(planned)});
    schema::JobDeclaredT job;
    job.id = "a";
    happen({std::move(job), {.job = 1}});
    happen({schema::RunStartedT()});
  }

  void happen(NewEvent event) { ASSERT_TRUE(record_->propose(std::move(event)).ok()); }

  void block_job() {
    schema::JobFinishedT finished;
    finished.status = schema::JobStatus::blocked;
    finished.reason = "no source";
    happen({std::move(finished), {.job = 1}});
  }

  void finish_run() {
    schema::RunFinishedT finished;
    finished.ending = schema::RunEnding::failed;
    finished.reason = "0 of 1 jobs succeeded";
    happen({std::move(finished)});
  }

  // Turns until everything is told.
  void tell(Hooks& hooks) {
    for (int turns = 0; turns < 10'000; ++turns) {
      ASSERT_TRUE(hooks.plan(*record_).ok());
      ASSERT_TRUE(record_->commit().ok());
      ASSERT_TRUE(hooks.act(*record_).ok());
      if (hooks.is_idle(record_->state()) && !record_->has_pending()) return;
      if (record_->has_pending()) continue;
      ASSERT_TRUE(poller_->wait(hooks.next_deadline()).ok());
      ASSERT_TRUE(hooks.check(*record_).ok());
    }
    FAIL() << "it never ends";
  }

  std::string text_of_blob(const schema::BlobRef* ref) {
    if (ref == nullptr) return {};
    const auto bytes = log().get_blob(*ref);
    EXPECT_TRUE(bytes.ok());
    return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
  }

  struct Told {
    schema::HookRequestedT requested;
    schema::HookFinishedT finished;
    std::string input, output;
  };
  std::vector<Told> told() {
    std::vector<Told> all;
    auto reader = log().read_stream("run/r1", {1});
    while (reader.next()) {
      visit(reader.event(), [&](const schema::HookRequested& e) {
        all.emplace_back();
        e.UnPackTo(&all.back().requested);
        all.back().input = text_of_blob(all.back().requested.input.get());
      });
      visit(reader.event(), [&](const schema::HookFinished& e) {
        e.UnPackTo(&all.at(e.number() - 1).finished);
        all[e.number() - 1].output = text_of_blob(all[e.number() - 1].finished.output.get());
      });
    }
    return all;
  }

  Options options_;
  std::optional<process::Poller> poller_;
  std::optional<RunRecord> record_;
};

TEST_F(HooksTest, TheyAreToldOnStandardInputAndTheirOutputIsKept) {
  options_.settings.on_attention = {{"sh", "-c", "cat; echo told $PIEVT_RUN >&2"}};
  options_.settings.on_finish = {{"sh", "-c", "cat; exit 3"}};
  Hooks hooks(options_, *poller_, 100, record_->state());
  block_job();
  tell(hooks);
  finish_run();
  tell(hooks);
  const auto all = told();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].requested.hook, "onAttention");
  EXPECT_THAT(all[0].requested.reason, HasSubstr("job a is blocked: no source"));
  EXPECT_THAT(all[0].input, HasSubstr(R"("schema":"pievt.hook","schema_version":1)"));
  EXPECT_THAT(all[0].input, HasSubstr(R"("name":"night")"));
  EXPECT_EQ(all[0].output, all[0].input + "told r1\n");
  EXPECT_EQ(all[1].requested.hook, "onFinish");
  EXPECT_EQ(all[1].finished.exit_code, 3u);
  EXPECT_EQ(all[1].output, all[1].input);
}

TEST_F(HooksTest, OneThatTakesTooLongIsStopped) {
  options_.settings.on_finish = {
      {"sh", "-c", "trap '' TERM; echo begun; cat /dev/zero > /dev/null"}, 50};
  Hooks hooks(options_, *poller_, 100, record_->state());
  block_job();
  finish_run();
  tell(hooks);
  const auto all = told();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_NE(all[0].finished.signal, 0u);
  EXPECT_THAT(all[0].finished.error, HasSubstr("longer than 50 ms"));
  EXPECT_EQ(all[0].output, "begun\n");
}

TEST_F(HooksTest, OneThatCannotBeStartedIsRecordedAndHoldsNothingUp) {
  options_.settings.on_finish = {{"no-such-program"}};
  Hooks hooks(options_, *poller_, 100, record_->state());
  block_job();
  finish_run();
  tell(hooks);
  const auto all = told();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(all[0].finished.error, HasSubstr("no-such-program"));
}

TEST_F(HooksTest, WithoutCommandsNothingIsRecorded) {
  Hooks hooks(options_, *poller_, 100, record_->state());
  block_job();
  finish_run();
  tell(hooks);
  EXPECT_TRUE(told().empty());
}

}  // namespace
}  // namespace pievt::supervisor
