// Every message comes out as it went in, and nothing that was cut or lengthened is one.
#include "supervisor/control/protocol.h"

#include <gtest/gtest.h>

namespace pievt::control {
namespace {

std::vector<Action> all_actions() {
  return {AskStatus{},
          Stop{schema::StopMode::now, "enough"},
          Pause{"the provider is down"},
          Resume{"it is up"},
          CancelJob{"ch07", "wrong source"},
          AddJob{R"({"prompt":"x"})", "/tmp"},
          SetConcurrency{7},
          SetPriority{"ch07", -3},
          Subscribe{},
          Hold{schema::CallerGone::stop}};
}

Progress some_progress() {
  Progress progress;
  progress.revision = 812;
  progress.phase = state::RunPhase::stopping;
  progress.ending = schema::RunEnding::stopped;
  progress.stop_mode = schema::StopMode::drain;
  progress.concurrency = 4;
  progress.jobs = 9;
  progress.skipped = 2;
  progress.tokens = 1'000'000'000'000;
  progress.cost_nanodollars = -5;
  progress.unreported_requests = 1;
  progress.reason = "signal INT";
  progress.active = {{"a", 2, "turn 3"}, {"b", 1, ""}};
  return progress;
}

std::vector<Message> all_messages() {
  std::vector<Message> all{Hello{protocol, "r1", "pievt stop"},
                           Welcome{4711, "r1", "pievtd"},
                           Answer{3, Answer::Done{8, "it goes on", {}}},
                           Answer{4, Answer::Done{0, "", {some_progress()}}},
                           Answer{5, Error{Errc::invalid_transition, "it has ended"}},
                           some_progress(),
                           Started{"r1", 4711},
                           Refused{{Errc::busy, "run r1 is supervised"}}};
  Start start;
  start.store = "/s";
  start.run = "r1";
  start.plan_text = std::string("{\0}", 3);
  start.plan_path = "plan.json";
  start.plan_directory = "/p";
  start.cwd = "/w";
  start.concurrency = 3;
  start.probe = false;
  start.tool = "jobs";
  start.when_gone = schema::CallerGone::continue_run;
  start.program = "pi extension";
  all.emplace_back(start);
  std::uint64_t number = 100;
  for (const Action& action : all_actions()) all.emplace_back(Request{number++, action});
  return all;
}

std::span<const std::byte> message_of(const wire::Frame& frame) {
  return std::span(frame).subspan(wire::frame_prefix_bytes);
}

TEST(Protocol, EveryActionHasAName) {
  EXPECT_EQ(all_actions().size(), std::variant_size_v<Action>);
  for (const Action& action : all_actions()) EXPECT_FALSE(name_of(action).empty());
}

TEST(Protocol, EveryMessageComesOutAsItWentIn) {
  for (const Message& message : all_messages()) {
    const wire::Frame frame = frame_of(message);
    const auto parsed = parse(message_of(frame));
    ASSERT_TRUE(parsed.ok()) << message.index() << ": " << parsed.error().what;
    EXPECT_EQ(parsed->index(), message.index());
    EXPECT_EQ(frame_of(*parsed), frame) << message.index();
  }
  const auto frame = frame_of(Request{9, SetPriority{"ch07", -3}});
  const auto request = std::get<Request>(*parse(message_of(frame)));
  EXPECT_EQ(request.number, 9u);
  EXPECT_EQ(std::get<SetPriority>(request.action).job, "ch07");
  EXPECT_EQ(std::get<SetPriority>(request.action).priority, -3);
  const auto refusal = frame_of(Answer{5, Error{Errc::busy, "later"}});
  const auto answer = std::get<Answer>(*parse(message_of(refusal)));
  ASSERT_FALSE(answer.outcome.ok());
  EXPECT_EQ(answer.outcome.error().code, Errc::busy);
  EXPECT_EQ(answer.outcome.error().what, "later");
}

TEST(Protocol, NothingThatWasCutOrLengthenedIsAMessage) {
  for (const Message& message : all_messages()) {
    wire::Frame frame = frame_of(message);
    const auto whole = message_of(frame);
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(parse(whole.first(size)).ok()) << message.index() << " cut to " << size;
    frame.push_back(std::byte{0});
    EXPECT_FALSE(parse(message_of(frame)).ok()) << message.index();
  }
}

TEST(Protocol, AnEnumOfALaterVersionIsUnknown) {
  wire::Frame frame = frame_of(Request{1, Hold{schema::CallerGone::stop}});
  frame.back() = std::byte{200};
  const auto parsed = parse(message_of(frame));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(std::get<Hold>(std::get<Request>(*parsed).action).when_gone,
            schema::CallerGone::unknown);
}

}  // namespace
}  // namespace pievt::control
