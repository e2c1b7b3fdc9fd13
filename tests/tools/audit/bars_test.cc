// The rows of a waterfall: which sign stands in which column, and what may stand over what.
#include "tools/audit/bars.h"

#include <gtest/gtest.h>

namespace pievt::audit {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

// One job with one attempt: started at 0 s, spoke at 3 s, ended at `end` s.
RunStory story_of(std::uint64_t end) {
  RunStory story;
  story.planned = {1, 0};
  story.last = {20, end * second};
  story::Attempt& attempt = story.attempts.emplace_back();
  attempt.job = attempt.number = 1;
  attempt.requested = attempt.launched = {2, 0};
  attempt.session = {3, 3 * second};
  attempt.exited = {18, end * second};
  attempt.http_status = 500;
  story::Job& job = story.jobs.emplace_back();
  job.number = 1;
  job.id = "draft";
  job.attempts = {0};
  story::JobEnd& ended = job.ends.emplace_back();
  ended.at = {19, end * second};
  ended.status = schema::JobStatus::failed;
  return story;
}

void fail_at(RunStory& story, std::uint64_t at_ns) {
  story::Request request;
  request.answered = {4, at_ns};
  request.failed = true;
  story.attempts.front().requests.push_back(request);
}

void gate_at(RunStory& story, schema::GateDecision decision, std::uint64_t at_ns) {
  story::Gate& gate = story.gates.emplace_back();
  gate.job = gate.attempt = 1;
  gate.span = {{17, at_ns}, {18, at_ns}};
  gate.decision = decision;
}

std::string drawn(const RunStory& story, const Scale& scale) {
  return painted({}, job_row(story, story.jobs.front(), scale));
}

TEST(Bars, NothingIsDrawnOverAFailedRequest) {
  RunStory story = story_of(10);
  for (const std::uint64_t at : {4u, 6u, 9u}) fail_at(story, at * second);
  gate_at(story, schema::GateDecision::failed, 9 * second);
  EXPECT_EQ(drawn(story, {0, 10 * second, 10}), "===-x.x..x#|FAILED 500");
  // Also not by other failed requests: they say that they are several.
  fail_at(story, 9 * second + 1);
  EXPECT_EQ(drawn(story, {0, 10 * second, 10}), "===-x.x..X#|FAILED 500");
}

TEST(Bars, AGateThatAskedNothingIsNotDrawn) {
  RunStory story = story_of(5);
  gate_at(story, schema::GateDecision::skipped, 4 * second);
  EXPECT_EQ(drawn(story, {0, 5 * second, 5}), "===--|FAILED 500");
}

TEST(Bars, TheLegendExplainsWhatOccursAndNothingElse) {
  RunStory story = story_of(10);
  fail_at(story, 4 * second);
  const std::vector rows = {job_row(story, story.jobs.front(), {0, 10 * second, 10})};
  const auto lines = chart_legend(rows, 80);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines.front(), "= starting   - model   x provider error   | end");
  for (const std::string& line : chart_legend(rows, 20)) EXPECT_LE(line.size(), 20u);
}

TEST(Bars, TicksOfTheAxisAreRoundAndAtTheirColumns) {
  // 12:05:04.6 for 5.6 s.
  const std::uint64_t from = 1'763'640'304'600'000'000;
  const Scale scale{from, from + 5'600'000'000, 56};
  EXPECT_EQ(axis_line(scale, render::Zone::utc, false),
            "    |05s      |06s      |07s      |08s      |09s      |10s");
  EXPECT_EQ(axis_line({from + 1, from + 2, 10}, render::Zone::utc, false), "");
  for (std::uint64_t span = 1; span < (1ull << 62); span *= 3)
    for (const std::size_t columns : {1u, 10u, 60u, 200u})
      EXPECT_LE(axis_line({from, from + span, columns}, render::Zone::utc, false).size(),
                columns + 20);
}

TEST(Bars, AtOnceIsTheMostThatRanBeside) {
  const RunStory story = story_of(10);
  const std::vector<story::ConcurrencyStep> curve = {
      {0, 1, 1, 2}, {4 * second, 5, 2, 2}, {10 * second, 18, 9, 9}};
  EXPECT_EQ(at_once(story, story.jobs.front(), curve), 2u);
}

}  // namespace
}  // namespace pievt::audit
