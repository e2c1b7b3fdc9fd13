// The laws of a story: folding is a function of the events, the story of a beginning is the
// beginning of the story, nothing is invented for what is open, and an imported run has its own
// times.
#include <map>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/views/tale.h"

namespace pievt {
namespace {

// Everything a story says, a line for each thing that is known.
class Sayings {
 public:
  explicit Sayings(const RunStory& run) {
    say("planned", run.planned), say("started", run.started), count("jobs", run.jobs.size());
    for (const auto& job : run.jobs) {
      const std::string at = fmt::format("job{}.", job.number);
      say(at + "declared", job.declared);
      each(at + "wait", job.waits, [&](const std::string& in, const story::Wait& wait) {
        say(in, wait.span, static_cast<int>(wait.kind));
      });
      each(at + "end", job.ends, [&](const std::string& in, const story::JobEnd& end) {
        say(in, end.at, static_cast<int>(end.status)), say(in + "reopened", end.reopened);
      });
      each(at + "verdict", job.verdicts, [&](const std::string& in, const story::Verdict& verdict) {
        say(in, verdict.at, static_cast<int>(verdict.attempt));
      });
    }
    each("attempt", run.attempts,
         [&](const std::string& in, const story::Attempt& of) { attempt(in + ".", of); });
    each("gate", run.gates,
         [&](const std::string& in, const story::Gate& gate) { say(in, gate.span); });
    each("throttle", run.throttles, [&](const std::string& in, const story::Throttle& throttle) {
      say(in, throttle.at, static_cast<int>(throttle.to));
    });
    each("supervisor", run.supervisions, [&](const std::string& in, const auto& supervision) {
      say(in, supervision.began), say(in + "seen", supervision.last_seen),
          say(in + "taken over", supervision.taken_over);
    });
    each("end", run.ends, [&](const std::string& in, const story::RunEnd& end) {
      say(in, end.at), say(in + "resumed", end.resumed);
    });
  }

  const std::map<std::string, std::string>& all() const { return all_; }

 private:
  void attempt(const std::string& in, const story::Attempt& of) {
    say(in + "requested", of.requested, static_cast<int>(of.job * 100 + of.number));
    say(in + "launched", of.launched), say(in + "session", of.session);
    say(in + "exited", of.exited), say(in + "classified", of.classified);
    say(in + "failed", of.launch_failed);
    each(in + "tool", of.tools, [&](const std::string& at, const story::ToolCall& call) {
      say(at, call.span, static_cast<int>(call.turn));
      if (call.span.end.known()) all_[at + ".error"] = call.is_error ? "yes" : "no";
      all_[at + ".subject"] = call.subject;
    });
    each(in + "turn", of.turns, [&](const std::string& at, const story::Turn& turn) {
      say(at, story::Span{turn.after, turn.end}, static_cast<int>(turn.agent_run));
    });
    each(in + "agent", of.agent_runs, [&](const std::string& at, const story::AgentRun& agent) {
      say(at, story::Span{agent.after, agent.end});
    });
    each(in + "request", of.requests, [&](const std::string& at, const story::Request& request) {
      say(at, story::Span{request.after, request.answered}, request.failed ? 1 : 0);
    });
    each(in + "retry", of.retries, [&](const std::string& at, const story::ProviderRetry& retry) {
      say(at, retry.began), say(at + "heard", retry.heard), say(at + "over", retry.over);
    });
    each(in + "adopted", of.adopted,
         [&](const std::string& at, const story::Mark& mark) { say(at, mark); });
    count(in + "finals", of.finals.size());
  }
  void say(const std::string& what, const story::Mark& mark, int value = 0) {
    if (mark.known()) all_[what] = fmt::format("#{} at {}: {}", mark.revision, mark.at_ns, value);
  }
  void say(const std::string& what, const story::Span& span, int value = 0) {
    say(what + ".begin", span.begin, value), say(what + ".end", span.end, value);
  }
  // Counts grow, so each is a line of its own.
  void count(const std::string& what, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) all_[fmt::format("{}{}", what, i)] = "is there";
  }
  template <class T, class F>
  void each(const std::string& what, const std::vector<T>& items, F&& f) {
    for (std::size_t i = 0; i < items.size(); ++i) f(fmt::format("{}{}", what, i), items[i]);
  }

  std::map<std::string, std::string> all_;
};

TEST(RunStory, FoldingTwiceIsEqual) {
  const Tale tale = whole_tale();
  EXPECT_EQ(tale.story(), tale.story());
  EXPECT_NE(tale.story(), tale.story(tale.size() - 1));
  EXPECT_EQ(tale.story().events, tale.size());
}

TEST(RunStory, TheStoryOfABeginningIsABeginningOfTheStory) {
  const Tale tale = whole_tale();
  const Sayings whole(tale.story());
  EXPECT_GT(whole.all().size(), 70u);
  std::size_t before = 0;
  for (std::size_t events = 0; events <= tale.size(); ++events) {
    SCOPED_TRACE(fmt::format("after #{}", events));
    const Sayings prefix(tale.story(events));
    for (const auto& [what, value] : prefix.all()) {
      const auto found = whole.all().find(what);
      ASSERT_NE(found, whole.all().end()) << what << " was taken back";
      EXPECT_EQ(found->second, value) << what;
    }
    EXPECT_GE(prefix.all().size(), before);
    before = prefix.all().size();
  }
}

TEST(RunStory, WhatIsOpenHasNoEnd) {
  const Tale tale = whole_tale();
  const RunStory story = tale.story(22);  // in two tool calls
  const story::Attempt& attempt = story.attempts.at(1);
  ASSERT_EQ(attempt.tools.size(), 2u);
  EXPECT_TRUE(attempt.tools[0].span.open());
  EXPECT_TRUE(attempt.tools[1].span.open());
  EXPECT_FALSE(attempt.turns.at(0).end.known());
  EXPECT_FALSE(attempt.running().end.known());
  EXPECT_EQ(story.end(), nullptr);
  EXPECT_EQ(attempt.tools[0].span.duration_ns(story.last.at_ns), second);
}

TEST(RunStory, ParallelCallsFindTheirEnds) {
  const RunStory story = whole_tale().story();
  const auto& tools = story.attempts.at(1).tools;
  ASSERT_EQ(tools.size(), 2u);
  EXPECT_EQ(tools[0].span.begin.revision, 21u);
  EXPECT_EQ(tools[0].span.end.revision, 24u);
  EXPECT_FALSE(tools[0].is_error);
  EXPECT_EQ(tools[1].span.end.revision, 23u);
  EXPECT_TRUE(tools[1].is_error);
  EXPECT_EQ(tools[1].subject, "make");
}

TEST(RunStory, ARequestWasSentAfterTheLastThingThatWasSeen) {
  const RunStory story = whole_tale().story();
  const story::Attempt& first = story.attempts.at(0);
  ASSERT_EQ(first.requests.size(), 2u);
  EXPECT_EQ(first.requests[0].after.revision, 7u);
  // The retry was announced by #9 and waited two seconds by pi's word.
  EXPECT_EQ(first.requests[1].after.revision, 9u);
  EXPECT_EQ(first.requests[1].after.at_ns, first.retries.at(0).began.at_ns + 2 * second);
  EXPECT_EQ(first.retries.at(0).heard.revision, 10u);
  EXPECT_TRUE(first.requests[0].failed);
  EXPECT_FALSE(first.requests[0].spent.reported);
}

TEST(RunStory, AJobWaitsForOthersThenForItsBackoffThenForASlot) {
  const RunStory story = whole_tale().story();
  const auto& first = story.jobs.at(0).waits;
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0].kind, story::WaitKind::slot);
  EXPECT_EQ(first[0].span.end.revision, 5u);
  EXPECT_EQ(first[1].kind, story::WaitKind::backoff);
  EXPECT_EQ(first[1].span.duration_ns(0), 2 * second) << "not before is told from #15's moment";
  EXPECT_EQ(first[2].kind, story::WaitKind::slot);
  EXPECT_EQ(first[2].span.duration_ns(0), 3 * second);
  EXPECT_EQ(first[2].span.end.revision, 17u);
  const auto& second_job = story.jobs.at(1).waits;
  ASSERT_EQ(second_job.size(), 3u);
  EXPECT_EQ(second_job[0].kind, story::WaitKind::dependencies);
  EXPECT_EQ(second_job[0].span.end.revision, 36u) << "until the first job had ended";
  EXPECT_EQ(second_job[1].span.end.revision, 37u);
  EXPECT_TRUE(second_job[2].span.open()) << "it was opened again";
}

TEST(RunStory, ASupervisorThatDiedWasLastSeenBeforeItsSuccessor) {
  const RunStory story = whole_tale().story();
  ASSERT_EQ(story.supervisions.size(), 2u);
  EXPECT_TRUE(story.supervisions[0].died());
  EXPECT_EQ(story.supervisions[0].last_seen.revision, 25u);
  EXPECT_EQ(story.supervisions[0].taken_over.revision, 26u);
  EXPECT_FALSE(story.supervisions[1].died());
}

TEST(RunStory, AnImportedRunHasItsOwnTimes) {
  Tale tale;
  const auto told = [&](NewEvent event, std::uint64_t seconds) {
    event.occurred_ns = seconds * second;
    tale.tell(std::move(event));
  };
  told(run_of(1), 10), told(declared(1), 10), told({RunStartedT{}}, 11);
  told(of_attempt<AttemptLaunchRequestedT>(1, 1), 12);
  told(of_attempt<AttemptLaunchedT>(1, 1), 12);
  told({tool(1, "ls"), {.job = 1, .attempt = 1}}, 14);
  tale.job(1, came_back(1), 1);  // the source did not say when
  const RunStory story = tale.story();
  EXPECT_TRUE(story.imported);
  EXPECT_EQ(story.planned.at_ns, 10 * second);
  const story::ToolCall& call = story.attempts.at(0).tools.at(0);
  EXPECT_EQ(call.span.begin.at_ns, 14 * second);
  EXPECT_EQ(call.span.end.at_ns, 14 * second) << "not the moment of the import";
  EXPECT_EQ(story.last.at_ns, 14 * second);
}

TEST(RunStory, CallsThatAreToldAfterTheirTurnBelongToIt) {
  Tale tale;
  tale.tell(run_of(1)).tell(declared(1)).tell({RunStartedT{}});
  tale.job(1, AttemptLaunchRequestedT{}, 1).job(1, AttemptLaunchedT{}, 1);
  tale.job(1, answered(1), 1).job(1, turn(1, 1), 1);  // as in an imported session
  tale.job(1, tool(1, "ls"), 1).job(1, came_back(1), 1).job(1, answered(1), 1);
  const RunStory story = tale.story();
  const story::Attempt& attempt = story.attempts.at(0);
  EXPECT_EQ(attempt.tools.at(0).turn, 0u);
  EXPECT_EQ(attempt.requests.at(1).turn, 1u);
}

TEST(RunStory, WhatMakesNoSenseChangesNothing) {
  Tale tale;
  tale.tell(run_of(1)).tell(declared(1)).tell({RunStartedT{}});
  const RunStory before = tale.story();
  tale.job(7, tool(1, "ls"), 3).job(1, came_back(9), 4).job(1, turn(1, 1), 1);
  tale.tell({GateDecidedT{}, {.job = 1, .attempt = 1, .gate = 5}});
  tale.job(9, AttemptLaunchRequestedT{}, 1).job(1, AttemptLaunchRequestedT{}, 2);
  const RunStory after = tale.story();
  EXPECT_EQ(Sayings(after).all(), Sayings(before).all());
  EXPECT_EQ(after.events, before.events + 6);
}

}  // namespace
}  // namespace pievt
