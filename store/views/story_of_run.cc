// What events tell about the run as a whole: its supervisors, what held it back, its gates.
#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/views/story_fold.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

void StoryFold::Impl::operator()(const RunPlanned& e) {
  run.run_id = keep(e.run_id());
  run.name = keep(e.name());
  run.concurrency = e.concurrency();
  run.planned = now_;
}

void StoryFold::Impl::operator()(const RunStarted& e) {
  run.started = now_;
  story::Supervision& first = run.supervisions.emplace_back();
  first.began = now_;
  if (e.supervisor() != nullptr) first.pid = e.supervisor()->pid();
  first.pi_version = keep_once(e.pi_version());
  for (std::uint32_t job = 1; job <= run.jobs.size(); ++job) begin_wait(job);
}

void StoryFold::Impl::operator()(const RunRecovered& e) {
  // One that finished its run did not die; it went.
  if (!run.supervisions.empty() && run.end() == nullptr) {
    run.supervisions.back().last_seen = run.last;
    run.supervisions.back().taken_over = now_;
  }
  story::Supervision& next = run.supervisions.emplace_back();
  next.began = now_;
  if (e.supervisor() != nullptr) next.pid = e.supervisor()->pid();
  next.pi_version = keep_once(e.pi_version());
  next.adopted = e.adopted();
  next.lost = e.lost();
}

void StoryFold::Impl::operator()(const RunStopRequested& e) {
  run.stops.push_back({now_, e.mode(), keep(e.reason())});
}

void StoryFold::Impl::operator()(const RunPaused& e) {
  if (run.pauses.empty() || !run.pauses.back().span.open())
    run.pauses.push_back({{now_, {}}, keep(e.reason())});
}

void StoryFold::Impl::operator()(const RunResumed&) {
  if (!run.pauses.empty() && run.pauses.back().span.open()) run.pauses.back().span.end = now_;
  if (run.end() != nullptr) run.ends.back().resumed = now_;
}

void StoryFold::Impl::operator()(const RunFinished& e) {
  if (run.end() != nullptr) return;
  if (!run.pauses.empty() && run.pauses.back().span.open()) run.pauses.back().span.end = now_;
  run.ends.push_back({now_, e.ending(), keep(e.reason()), {}});
}

void StoryFold::Impl::operator()(const ThrottleChanged& e) {
  run.throttles.push_back(
      {now_, e.from(), e.to(), e.reason(), e.failures(), e.window(), keep(e.detail())});
}

void StoryFold::Impl::operator()(const AdmissionDeferred& e) {
  if (run.admissions.empty() || !run.admissions.back().span.open())
    run.admissions.push_back({{now_, {}}, e.reason(), keep(e.detail())});
}

void StoryFold::Impl::operator()(const AdmissionGranted&) {
  if (!run.admissions.empty() && run.admissions.back().span.open())
    run.admissions.back().span.end = now_;
}

void StoryFold::Impl::operator()(const LimitReached& e) {
  note("limit", fmt::format("{}: {} of {}", EnumNameLimitKind(e.limit()), e.used(), e.allowed()));
}

void StoryFold::Impl::operator()(const HookRequested& e) {
  note("hook", fmt::format("{}: {}", text_of(e.hook()), text_of(e.reason())));
}

void StoryFold::Impl::operator()(const HookFinished& e) {
  note("hook", e.error() != nullptr && e.error()->size() != 0
                   ? fmt::format("{} failed: {}", text_of(e.hook()), text_of(e.error()))
                   : fmt::format("{} exited with {}", text_of(e.hook()), e.exit_code()));
}

story::Gate* StoryFold::Impl::gate() {
  const auto found = gates_.find(head_->gate());
  return found == gates_.end() ? nullptr : &run.gates[found->second];
}

story::GateCommand* StoryFold::Impl::command(std::uint32_t number) {
  story::Gate* of = gate();
  if (of == nullptr) return nullptr;
  for (auto& command : of->commands)
    if (command.number == number) return &command;
  return nullptr;
}

void StoryFold::Impl::operator()(const GateOpened& e) {
  if (head_->gate() == 0 || gate() != nullptr) return;
  gates_[head_->gate()] = static_cast<std::uint32_t>(run.gates.size());
  story::Gate& opened = run.gates.emplace_back();
  opened.number = head_->gate();
  opened.kind = e.kind();
  opened.name = keep_once(e.name());
  opened.job = head_->job();
  opened.attempt = head_->attempt();
  opened.span.begin = now_;
}

void StoryFold::Impl::operator()(const GateDecided& e) {
  story::Gate* decided = gate();
  if (decided == nullptr || !decided->span.open()) return;
  decided->span.end = now_;
  decided->decision = e.decision();
  decided->reason = keep(e.reason());
  decided->ruleset = keep_once(e.ruleset());
  if (e.checks() == nullptr) return;
  decided->checks = e.checks()->size();
  for (const auto* check : *e.checks()) {
    if (check->status() == CheckStatus::failed || check->status() == CheckStatus::errored)
      ++decided->checks_failed;
  }
}

void StoryFold::Impl::operator()(const GateCommandRequested& e) {
  story::Gate* of = gate();
  if (of == nullptr) return;
  story::GateCommand& asked = of->commands.emplace_back();
  asked.number = e.command();
  asked.span.begin = now_;
}

void StoryFold::Impl::operator()(const GateCommandStarted& e) {
  if (story::GateCommand* of = command(e.command())) of->started = now_;
}

void StoryFold::Impl::operator()(const GateCommandEnded& e) {
  story::GateCommand* ended = command(e.command());
  if (ended == nullptr || !ended->span.open()) return;
  ended->span.end = now_;
  ended->exit_code = e.exit_code();
  ended->signal = e.signal();
  ended->error = keep(e.error());
}

}  // namespace pievt
