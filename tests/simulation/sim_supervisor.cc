#include "tests/simulation/sim_supervisor.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/planners/admission.h"
#include "supervisor/planners/batch.h"
#include "supervisor/planners/stops.h"

namespace pievt::simulation {
namespace {

using process::ChildInput;
using process::ChildMove;
using process::ChildState;
using state::AttemptPhase;

class SimJournal : public supervisor::Journal {
 public:
  explicit SimJournal(World& world) : world_(world) {}

  Status append(const std::string&, Revision after, std::vector<NewEvent> events) override {
    world_.step();  // died before it was durable: nothing has happened
    world_.log.append(after.value, events, world_.wall_ns(), world_.boot_ns());
    for (std::size_t i = after.value; i < world_.log.events().size(); ++i)
      world_.invariants.see(*View(world_.log.events()[i]));
    world_.step();  // died before anything could be done about it
    return {};
  }
  Result<schema::BlobRef> put_text(std::string_view text, schema::BlobKind kind) override {
    return schema::BlobRef(schema::Digest(), text.size(), 0, kind, 0);
  }
  schema::Digest keyed_digest(std::string_view) const override { return {}; }
  std::uint64_t wall_ns() const override { return world_.wall_ns(); }
  std::uint64_t boot_ns() const override { return world_.boot_ns(); }

 private:
  World& world_;
};

bool has_process(AttemptPhase phase) {
  return phase == AttemptPhase::launch_requested || phase == AttemptPhase::running ||
         phase == AttemptPhase::stopping;
}

planners::Marks marks_of(const MemoryLog& log) {
  planners::Marks marks;
  RunState run;
  log.read([&](const EventView& event) {
    planners::note(marks, run, event.type(),
                   {.job = event.head().job(), .attempt = event.head().attempt()}, event.revision(),
                   event.time_ns());
    apply(run, event);
  });
  return marks;
}

}  // namespace

SimSupervisor::SimSupervisor(World& world)
    : world_(world),
      record_(std::make_unique<SimJournal>(world), world.scenario().planned.run_id,
              world.log.state()),
      asked_(world.asked) {
  record_.restore_marks(marks_of(world.log));
}

void SimSupervisor::must(const Status& status) const {
  if (!status.ok()) throw Broken(status.error().what);
}

void SimSupervisor::propose(NewEvent event) {
  const auto done = record_.propose(std::move(event));
  if (!done.ok()) throw Broken(done.error().what);
}

void SimSupervisor::commit() {
  must(record_.commit());
  // A wish that was not written is spoken again, as by somebody whose command failed.
  world_.asked = asked_;
}

void SimSupervisor::run() {
  if (record_.state().phase == state::RunPhase::unknown) plan_run();
  if (record_.state().phase == state::RunPhase::planned) {
    propose({schema::RunStartedT{}});
  } else if (record_.state().phase != state::RunPhase::finished) {
    recover();
  }
  for (std::uint64_t turns = 0; record_.state().phase != state::RunPhase::finished ||
                                !live_.empty() || record_.has_pending();
       ++turns) {
    if (turns > 200'000) throw Broken("the run does not come to its end");
    turn();
  }
}

void SimSupervisor::reopen(World& world) {
  SimSupervisor supervisor(world);
  supervisor.propose({schema::RunResumedT{}});
  for (std::uint32_t job = 1; job <= supervisor.state().jobs.size(); ++job) {
    const schema::JobStatus status = find_job(supervisor.state(), job)->status;
    if (status != schema::JobStatus::cancelled && status != schema::JobStatus::skipped) continue;
    supervisor.propose({schema::JobReopenedT{}, {.job = job}});
  }
  supervisor.commit();
}

void SimSupervisor::plan_run() {
  propose({schema::RunPlannedT(world_.scenario().planned)});
  std::uint32_t number = 0;
  for (const schema::JobDeclaredT& job : world_.scenario().jobs)
    propose({schema::JobDeclaredT(job), {.job = ++number}});
  commit();
}

void SimSupervisor::recover() {
  std::vector<Subject> open;
  for (const auto& job : record_.state().jobs) {
    for (const auto& attempt : job->attempts) {
      if (attempt->phase != AttemptPhase::classified)
        open.push_back({.job = job->number, .attempt = attempt->number});
    }
  }
  propose({schema::RunRecoveredT{}});
  for (const Subject& subject : open) recover_attempt(subject);
}

void SimSupervisor::recover_attempt(Subject subject) {
  const AttemptState& state = *find_attempt(record_.state(), subject.job, subject.attempt);
  Live live;
  live.subject = subject;
  live.marker = state.marker;
  live.machine = ChildState::draining;
  live.stop_reason = state.stop_reason;
  live.stop_step = state.stop_step;
  Child* child = world_.find(state.marker);
  const std::uint64_t timeout_ms = state.timeout_ms;
  const std::uint64_t began_ns = state.launched_monotonic_ns;
  if (has_process(state.phase)) {
    if (child != nullptr && child->alive(world_.now_ms())) {
      schema::AttemptAdoptedT event;
      event.process = std::make_unique<schema::ProcessIdT>();
      event.process->pid = child->pid;
      propose({std::move(event), subject});
      live.has_process = true;
      live.machine = ChildState::up;
      const std::uint64_t began_ms =
          began_ns == 0 ? world_.now_ms() : (began_ns - 1'000'000'000) / 1'000'000;
      live.deadline_ms = began_ms + timeout_ms;
    } else {
      schema::AttemptLostT event;
      event.reason = child == nullptr ? schema::LostReason::never_started
                                      : schema::LostReason::ended_unwatched;
      propose({std::move(event), subject});
    }
  }
  if (child != nullptr) open_output(live);
  const Token token = next_token_++;
  Live& kept = live_.emplace(token, std::move(live)).first->second;
  if (!kept.has_process) return acts_.push_back({token, ChildMove::sweep});
  if (kept.stop_reason != schema::StopReason::unknown) stop(token, kept.stop_reason);
}

void SimSupervisor::turn() {
  plan();
  commit();
  if (!acts_.empty()) {
    for (const Act& act : std::exchange(acts_, {})) carry_out(act);
    return;
  }
  if (record_.has_pending()) return;
  if (live_.empty() && record_.state().phase == state::RunPhase::finished) return;
  wait();
}

void SimSupervisor::plan() {
  for (;;) {
    planners::NextSteps next =
        planners::next_steps(record_.state(), record_.marks(), record_.wall_ns());
    for (NewEvent& event : next.events) propose(std::move(event));
    if (!next.events.empty()) continue;
    wake_at_ns_ = next.wake_at_ns;
    std::vector<std::pair<Token, schema::StopReason>> stops;
    for (const auto& [token, live] : live_) {
      if (live.stop_reason != schema::StopReason::unknown) continue;
      if (const auto reason = planners::stop_wanted(record_.state(), live.subject))
        stops.emplace_back(token, *reason);
    }
    for (const auto& [token, reason] : stops) stop(token, reason);
    if (next.launches.empty() && record_.state().phase != state::RunPhase::finished) {
      if (auto event = planners::admission_step(record_.state(), {}, record_.wall_ns()))
        propose(std::move(*event));
    }
    for (const std::uint32_t job : next.launches) {
      if (!admit()) return;
      launch(job);
    }
    return;
  }
}

bool SimSupervisor::admit() {
  std::optional<planners::Refusal> refusal;
  if (!world_.has_place()) refusal = {schema::WaitReason::store_limit, "all places are taken"};
  if (auto event = planners::admission_step(record_.state(), refusal, record_.wall_ns()))
    propose(std::move(*event));
  return !refusal;
}

void SimSupervisor::launch(std::uint32_t number) {
  const JobState& job = *find_job(record_.state(), number);
  const auto attempt = static_cast<std::uint32_t>(job.attempts.size() + 1);
  Live live;
  live.subject = {.job = number, .attempt = attempt};
  live.marker = fmt::format("{}/{}/{}", record_.run_id(), number, attempt);
  schema::AttemptLaunchRequestedT event;
  event.marker = live.marker;
  event.timeout_ms = job.timeout_ms;
  event.purpose = schema::AttemptPurpose::work;
  event.retry_of = attempt - 1;
  const Subject subject = live.subject;
  propose({std::move(event), subject});
  const Token token = next_token_++;
  live_.emplace(token, std::move(live));
  input(token, ChildInput::start);
}

std::uint64_t SimSupervisor::next_moment() const {
  std::uint64_t next = UINT64_MAX;
  const std::uint64_t now = world_.now_ms();
  const auto at = [&](std::uint64_t ms) { next = std::min(next, std::max(ms, now + 1)); };
  for (const auto& [token, live] : live_) {
    if (live.deadline_ms && live.stop_reason == schema::StopReason::unknown) at(*live.deadline_ms);
    if (live.step_over_ms) at(*live.step_over_ms);
    if (!live.has_process) continue;
    const Child& child = *world_.find(live.marker);
    if (child.dies_ms) at(*child.dies_ms);
    if (live.lines_read < child.script.says.size())
      at(child.started_ms + child.script.says[live.lines_read].at_ms);
    at(live.last_activity_ms + 1'000 * (1 + (now - live.last_activity_ms) / 1'000));
  }
  if (wake_at_ns_ && *wake_at_ns_ > world_.wall_ns())
    at(now + (*wake_at_ns_ - world_.wall_ns() + 999'999) / 1'000'000);
  if (record_.state().waiting != schema::WaitReason::unknown) at(now + 100);
  const auto& asked = world_.scenario().asked;
  if (asked_ < asked.size()) at(asked[asked_].at_ms);
  return next;
}

void SimSupervisor::wait() {
  const std::uint64_t next = next_moment();
  if (next == UINT64_MAX) throw Broken("nothing runs, nothing waits, and the run is not over");
  world_.advance_to(next);
  take_wishes();
  std::vector<Token> tokens;
  for (const auto& [token, live] : live_) tokens.push_back(token);
  for (const Token token : tokens) {
    Live& live = live_.at(token);
    if (!live.has_process) continue;
    pump(live);
    if (live.machine == ChildState::starting && live.facts.header_seen)
      input(token, ChildInput::ready);
    reap(token, live);
    if (live.has_process) check_time(token, live);
  }
}

void SimSupervisor::take_wishes() {
  const auto& asked = world_.scenario().asked;
  for (; asked_ < asked.size() && asked[asked_].at_ms <= world_.now_ms(); ++asked_) {
    const Asked& wish = asked[asked_];
    NewEvent event{schema::RunPausedT{}};
    if (wish.wish == Wish::drain || wish.wish == Wish::stop) {
      schema::RunStopRequestedT stop;
      stop.mode = wish.wish == Wish::stop ? schema::StopMode::now : schema::StopMode::drain;
      stop.reason = "asked";
      event = {std::move(stop)};
    } else if (wish.wish == Wish::go_on) {
      // Only what is paused goes on here: to take back a stop is another command.
      if (record_.state().phase != state::RunPhase::paused) continue;
      event = {schema::RunResumedT{}};
    } else if (wish.wish == Wish::cancel) {
      schema::JobCancelRequestedT cancel;
      cancel.reason = "asked";
      event = {std::move(cancel), {.job = wish.job}};
    }
    // What is not possible now is refused, as a command would be.
    static_cast<void>(record_.propose(std::move(event)));
  }
}

}  // namespace pievt::simulation
