// What tools were told to write, read from the log once: whoever asks later hears the same, and
// what came since.
#include "supervisor/turn/tool_writes.h"

#include <gmock/gmock.h>

#include "tests/supervisor/turn/attempt_test.h"

namespace pievt::supervisor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ToolWritesTest : public AttemptTest {
 protected:
  static constexpr Subject second{.job = 1, .attempt = 2};

  void call(const std::string& tool, const std::string& path, const std::string& id,
            Subject by = subject) {
    schema::ToolCallStartedT event;
    event.tool = tool;
    event.call_id = id;
    event.arguments =
        record_->put_text("{\"path\":\"" + path + "\"}", schema::BlobKind::json).value();
    happen({std::move(event), by});
  }

  void answer(const std::string& id, bool is_error, Subject by = subject) {
    schema::ToolCallFinishedT event;
    event.call_id = id;
    event.is_error = is_error;
    happen({std::move(event), by});
  }

  /// The attempt's own, by the file's name; a failed one in brackets.
  std::vector<std::string> told(Subject attempt = subject) {
    const AttemptState& state = *find_attempt(record_->state(), attempt.job, attempt.attempt);
    const auto writes = writes_.since(*record_, {state.first_revision});
    EXPECT_TRUE(writes.ok()) << writes.error().what;
    std::vector<std::string> names;
    for (const ToolWrite& write : *writes) {
      const std::string name = write.path.filename();
      names.push_back(write.failed ? "(" + name + ")" : name);
    }
    return names;
  }

  ToolWrites writes_;
};

TEST_F(ToolWritesTest, WhoeverAsksAgainHearsTheSameAndWhatCameSince) {
  call("write", "one", "c1");
  call("read", "other", "c2");
  EXPECT_THAT(told(), ElementsAre("one"));
  EXPECT_THAT(told(), ElementsAre("one"));
  call("edit", "two", "c3");
  EXPECT_THAT(told(), ElementsAre("one", "two"));
}

TEST_F(ToolWritesTest, WhatIsOnlyProposedIsWrittenFirst) {
  ASSERT_TRUE(record_->commit().ok());
  schema::FinalMessageObservedT last;
  last.text_bytes = 1;
  happen({std::move(last), subject});
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_TRUE(record_->has_pending()) << "nothing of tools: nothing to write for them";
  call("write", "one", "c1");
  EXPECT_THAT(told(), ElementsAre("one"));
  EXPECT_FALSE(record_->has_pending());
}

TEST_F(ToolWritesTest, ThatACallFailedIsHeardLater) {
  call("write", "one", "c1");
  call("write", "two", "c2");
  EXPECT_THAT(told(), ElementsAre("one", "two"));
  answer("c1", true);
  answer("c2", false);
  EXPECT_THAT(told(), ElementsAre("(one)", "two"));
}

TEST_F(ToolWritesTest, AnAttemptHearsOfWhatCameAfterItsOwnBeginning) {
  call("write", "one", "c1");
  EXPECT_THAT(told(), ElementsAre("one"));
  end(subject);
  happen({schema::JobRetryScheduledT(), {.job = 1}});
  begin(second);
  call("write", "two", "c1", second);
  EXPECT_THAT(told(second), ElementsAre("two"));
  answer("c1", true, second);
  EXPECT_THAT(told(second), ElementsAre("(two)")) << "the first one's call has the same id";
}

TEST_F(ToolWritesTest, WhoBeginsInTheMiddleReadsFromTheFirstAttemptThatIsOpen) {
  call("write", "one", "c1");
  ASSERT_TRUE(record_->commit().ok());
  // As a new supervisor does.
  ToolWrites fresh;
  const AttemptState& state = *find_attempt(record_->state(), 1, 1);
  const auto late = fresh.since(*record_, {record_->state().revision + 1});
  ASSERT_TRUE(late.ok());
  EXPECT_THAT(*late, IsEmpty());
  const auto whole = fresh.since(*record_, {state.first_revision});
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->size(), 1u);
}

}  // namespace
}  // namespace pievt::supervisor
