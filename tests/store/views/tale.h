// Runs told by hand: events with stamps as a reader would give them, and a tale that has something
// of everything.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "pievt/run_story.h"
#include "store/format/codec.h"
#include "tests/store/model/run_fixture.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

inline constexpr std::uint64_t second = 1'000'000'000;

// Events with stamps, as a reader would give them: one a second unless told otherwise.
class Tale {
 public:
  Tale& tell(NewEvent event, std::uint64_t seconds = 1) {
    now_ns_ += seconds * second;
    format::BodyEncoder encoder;
    auto body = std::make_unique<std::vector<std::byte>>();
    body->resize(encoder.append(event, *body));
    bodies_.push_back(std::move(body));
    stamps_.push_back(std::make_unique<Stamp>(0, 0, stamps_.size() + 1, now_ns_, now_ns_,
                                              static_cast<std::uint32_t>(bodies_.back()->size()),
                                              0));
    return *this;
  }
  template <class Table>
  Tale& job(std::uint32_t job, Table table, std::uint32_t attempt = 0, std::uint64_t seconds = 1) {
    return tell({std::move(table), {.job = job, .attempt = attempt}}, seconds);
  }

  RunStory story(std::size_t events) const {
    StoryFold fold;
    for (std::size_t i = 0; i < events; ++i) {
      EventView view;
      view.stamp = stamps_[i].get();
      view.body = *bodies_[i];
      view.envelope = GetEnvelope(bodies_[i]->data());
      fold.apply(view);
    }
    return std::move(fold).take();
  }
  RunStory story() const { return story(size()); }
  std::size_t size() const { return stamps_.size(); }
  std::uint64_t now_ns() const { return now_ns_; }

 private:
  std::vector<std::unique_ptr<std::vector<std::byte>>> bodies_;
  std::vector<std::unique_ptr<Stamp>> stamps_;
  std::uint64_t now_ns_ = 1000 * second;
};

inline NewEvent run_of(std::uint32_t concurrency) {
  NewEvent event = planned("r-1", "plan");
  event.payload.as<RunPlannedT>()->concurrency = concurrency;
  return event;
}

inline NewEvent depending(std::uint32_t job, std::uint32_t on) {
  NewEvent event = declared(job);
  auto dependency = std::make_unique<JobDependencyT>();
  dependency->job = on;
  dependency->when = DependsWhen::success;
  event.payload.as<JobDeclaredT>()->depends_on.push_back(std::move(dependency));
  return event;
}

inline ToolCallStartedT tool(std::uint32_t call, std::string subject) {
  ToolCallStartedT event;
  event.call = call;
  event.tool = "bash";
  event.subject = std::move(subject);
  event.call_id = fmt::format("call_{}", call);
  return event;
}

inline ToolCallFinishedT came_back(std::uint32_t call, bool is_error = false) {
  ToolCallFinishedT event;
  event.call = call;
  event.tool = "bash";
  event.is_error = is_error;
  return event;
}

inline UsageRecordedT answered(std::int64_t nanodollars) {
  UsageRecordedT event;
  event.provider = "fake";
  event.model = "scripted";
  event.stop_reason = "toolUse";
  event.reported = Reported::reported;
  event.usage = std::make_unique<UsageT>();
  event.usage->total_tokens = 10;
  event.usage->cost_nanodollars = nanodollars;
  return event;
}

inline UsageRecordedT refused() {
  UsageRecordedT event;
  event.stop_reason = "error";
  event.error = "HTTP 500";
  event.reported = Reported::not_reported;
  return event;
}

inline TurnEndedT turn(std::uint32_t number, std::uint32_t calls) {
  TurnEndedT event;
  event.turn = number;
  event.tool_calls = calls;
  event.agent_run = 1;
  return event;
}

inline ProviderRetryStartedT retry(std::uint64_t delay_ms) {
  ProviderRetryStartedT event;
  event.attempt = 1;
  event.delay_ms = delay_ms;
  event.error = "HTTP 500";
  return event;
}

inline JobRetryScheduledT again(std::uint64_t not_before_ns) {
  JobRetryScheduledT event;
  event.attempt = 2;
  event.not_before_ns = not_before_ns;
  return event;
}

inline ThrottleChangedT throttle(std::uint32_t from, std::uint32_t to) {
  ThrottleChangedT event;
  event.from = from;
  event.to = to;
  return event;
}

// Two jobs, the second waits for the first. The first fails at the provider, is tried again, and
// its supervisor dies on the way.
inline Tale whole_tale() {
  Tale tale;
  tale.tell(run_of(2)).tell(declared(1)).tell(depending(2, 1)).tell({RunStartedT{}});  // #1-#4
  tale.job(1, AttemptLaunchRequestedT{}, 1).job(1, AttemptLaunchedT{}, 1);             // #5 #6
  tale.job(1, SessionStartedT{}, 1).job(1, refused(), 1).job(1, retry(2000), 1);       // #7-#9
  tale.job(1, refused(), 1, 3).job(1, AgentRunEndedT{}, 1);                            // #10 #11
  tale.job(1, AttemptExitedT{}, 1).job(1, AttemptClassifiedT{}, 1);                    // #12 #13
  tale.job(1, JobJudgedT{}, 1).tell({throttle(2, 1)});                                 // #14 #15
  tale.job(1, again(tale.now_ns() + 3 * second));                                      // #16
  tale.job(1, AttemptLaunchRequestedT{}, 2, 5).job(1, AttemptLaunchedT{}, 2);          // #17 #18
  tale.job(1, SessionStartedT{}, 2).job(1, answered(7), 2);                            // #19 #20
  tale.job(1, tool(1, "ls"), 2).job(1, tool(2, "make"), 2);                            // #21 #22
  tale.job(1, came_back(2, true), 2).job(1, came_back(1), 2);                          // #23 #24
  tale.job(1, turn(1, 2), 2).tell({RunRecoveredT{}}, 60);                              // #25 #26
  tale.job(1, AttemptAdoptedT{}, 2).job(1, answered(5), 2);                            // #27 #28
  tale.job(1, FinalMessageObservedT{}, 2).job(1, turn(2, 0), 2);                       // #29 #30
  tale.job(1, AgentRunEndedT{}, 2).job(1, AttemptExitedT{}, 2);                        // #31 #32
  tale.job(1, AttemptClassifiedT{}, 2);                                                // #33
  tale.tell({GateOpenedT{}, {.job = 1, .attempt = 2, .gate = 1}});                     // #34
  tale.tell({GateDecidedT{}, {.job = 1, .attempt = 2, .gate = 1}});                    // #35
  tale.tell(finished(1)).job(2, AttemptLaunchRequestedT{}, 1);                         // #36 #37
  tale.job(2, AttemptLaunchFailedT{}, 1).job(2, AttemptClassifiedT{}, 1);              // #38 #39
  tale.tell(finished(2, JobStatus::failed)).tell({RunFinishedT{}});                    // #40 #41
  tale.tell({RunResumedT{}}).job(2, JobReopenedT{});                                   // #42 #43
  return tale;
}

}  // namespace pievt
