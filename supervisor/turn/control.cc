// What others ask of a run that is being supervised: over its control socket, or by a signal. A
// request becomes proposals, and is answered when they are durable.
#include <algorithm>

#include <fmt/format.h>

#include "supervisor/control/progress.h"
#include "supervisor/plan/disk_files.h"
#include "supervisor/turn/add_job.h"
#include "supervisor/turn/supervisor.h"

namespace pievt::supervisor {
namespace {

using control::Answer;
using process::ChildInput;
using state::JobPhase;
using state::RunPhase;

// A subscriber sees what changed at most so often; people and progress bars cannot follow faster.
constexpr std::chrono::milliseconds tell_interval{100};

// How long a caller may take to hold the run it called for. It does so as soon as it is told that
// the run is planned, so one that has not by then is dead.
constexpr std::chrono::seconds caller_patience{20};

std::unique_ptr<schema::RequesterT> by(const control::Client& client) {
  return std::make_unique<schema::RequesterT>(control::requester(client));
}

std::string reason_or(const std::string& reason, const control::Client& client) {
  if (!reason.empty()) return reason;
  return fmt::format("asked by {}, process {}",
                     client.program.empty() ? "a program" : client.program, client.peer.pid);
}

Result<std::uint32_t> open_job(const RunState& run, const std::string& id) {
  const JobState* job = find_job(run, id);
  if (job == nullptr)
    return Error{Errc::not_found, fmt::format("run {} has no job `{}`", run.run_id, id)};
  if (job->phase != JobPhase::finished) return job->number;
  return Error{Errc::invalid_transition,
               fmt::format("job {} has ended: {}, {}", id, schema::EnumNameJobStatus(job->status),
                           job->reason)};
}

}  // namespace

// One for each kind of request. Whatever is proposed is committed with the turn, so nothing here
// waits, and a request that is refused has changed nothing.
class Supervisor::Requests {
 public:
  Requests(Supervisor& supervisor, const control::Client& client)
      : supervisor_(supervisor), record_(supervisor.record_), client_(client) {}

  Result<Answer::Done> operator()(const control::AskStatus&) { return with_progress(); }
  Result<Answer::Done> operator()(const control::Subscribe&) { return with_progress(); }

  Result<Answer::Done> operator()(const control::Stop& stop) {
    const auto mode = stop.mode == schema::StopMode::now ? stop.mode : schema::StopMode::drain;
    if (run().phase == RunPhase::stopping && run().stop_mode >= mode)
      return done(0, "it is stopping already");
    const Revision revision =
        PIEVT_TRY(supervisor_.request_stop(mode, reason_or(stop.reason, client_), by(client_)));
    return done(revision.value, mode == schema::StopMode::now
                                    ? "what runs is being stopped"
                                    : "nothing new is started; what runs may end");
  }

  Result<Answer::Done> operator()(const control::Pause& pause) {
    if (run().phase == RunPhase::paused) return done(0, "it is paused already");
    schema::RunPausedT event;
    event.reason = reason_or(pause.reason, client_);
    event.asked_by = by(client_);
    return proposed({std::move(event)}, "nothing new is started until it is resumed");
  }

  Result<Answer::Done> operator()(const control::Resume& resume) {
    if (run().phase == RunPhase::running) return done(0, "it is running already");
    if (run().phase == RunPhase::stopping) {
      return Error{Errc::invalid_transition,
                   fmt::format("run {} is stopping; when it has ended: pievt resume {}",
                               run().run_id, run().run_id)};
    }
    schema::RunResumedT event;
    event.reason = reason_or(resume.reason, client_);
    event.asked_by = by(client_);
    return proposed({std::move(event)}, "it goes on");
  }

  Result<Answer::Done> operator()(const control::CancelJob& cancel) {
    const std::uint32_t job = PIEVT_TRY(open_job(run(), cancel.job));
    if (find_job(run(), job)->cancel_requested_revision != 0)
      return done(0, "it is being cancelled already");
    schema::JobCancelRequestedT event;
    event.reason = reason_or(cancel.reason, client_);
    event.asked_by = by(client_);
    const Revision revision = PIEVT_TRY(record_.propose({std::move(event), {.job = job}}));
    PIEVT_TRY(supervisor_.stop_attempts_of(job, schema::StopReason::cancelled));
    return done(revision.value, fmt::format("job {} is cancelled", cancel.job));
  }

  Result<Answer::Done> operator()(const control::AddJob& add) {
    if (run().phase == RunPhase::stopping) {
      return Error{Errc::invalid_transition,
                   fmt::format("run {} is stopping and starts nothing more", run().run_id)};
    }
    plan::DiskFiles files(add.directory.empty() ? "/" : add.directory + "/");
    AddedJob added =
        PIEVT_TRY(declare_added(record_, add.text, files, supervisor_.options_.environment));
    const std::string id = added.event.id;
    const auto number = static_cast<std::uint32_t>(run().jobs.size() + 1);
    const Revision revision = PIEVT_TRY(record_.propose({std::move(added.event), {.job = number}}));
    supervisor_.launcher_.add_environment(id, std::move(added.environment));
    return done(revision.value, fmt::format("job {} is number {} of the run", id, number));
  }

  Result<Answer::Done> operator()(const control::SetConcurrency& set) {
    if (set.attempts == 0)
      return Error{Errc::invalid,
                   "concurrency 0 would never start anything; pause the run instead"};
    if (set.attempts == run().concurrency_now) return done(0, "it is that already");
    schema::ThrottleChangedT event;
    event.from = run().concurrency_now;
    event.to = set.attempts;
    event.reason = schema::ThrottleReason::asked;
    event.detail = reason_or({}, client_);
    event.asked_by = by(client_);
    return proposed({std::move(event)},
                    fmt::format("from here on {} attempts at once", set.attempts));
  }

  Result<Answer::Done> operator()(const control::SetPriority& set) {
    const std::uint32_t job = PIEVT_TRY(open_job(run(), set.job));
    schema::JobRevisedT event;
    event.priority = set.priority;
    event.reason = reason_or({}, client_);
    event.asked_by = by(client_);
    return proposed({std::move(event), {.job = job}},
                    fmt::format("job {} has priority {}", set.job, set.priority));
  }

  Result<Answer::Done> operator()(const control::Hold&) {
    supervisor_.caller_due_.reset();
    return done(0, "the run is held");
  }

 private:
  const RunState& run() const { return record_.state(); }
  static Answer::Done done(std::uint64_t revision, std::string what) {
    return {revision, std::move(what), {}};
  }
  Answer::Done with_progress() const { return {0, {}, {control::progress_of(run())}}; }
  Result<Answer::Done> proposed(NewEvent event, std::string what) {
    const Revision revision = PIEVT_TRY(record_.propose(std::move(event)));
    return done(revision.value, std::move(what));
  }

  Supervisor& supervisor_;
  RunRecord& record_;
  const control::Client& client_;
};

Status Supervisor::take_requests() {
  for (control::Server::Asked& asked : control_->take_asked()) {
    const bool only_asks = std::holds_alternative<control::AskStatus>(asked.request.action) ||
                           std::holds_alternative<control::Subscribe>(asked.request.action) ||
                           std::holds_alternative<control::Hold>(asked.request.action);
    Answer answer{asked.request.number, Answer::Done{}};
    if (record_.state().phase == RunPhase::finished && !only_asks) {
      answer.outcome =
          Error{Errc::invalid_transition,
                fmt::format("run {} has ended: {}", record_.run_id(), record_.state().reason)};
    } else {
      answer.outcome = std::visit(Requests(*this, asked.client), asked.request.action);
    }
    answers_.emplace_back(asked.from, std::move(answer));
  }
  for (const control::Server::Gone& gone : control_->take_gone()) PIEVT_TRY(caller_gone(gone));
  if (caller_due_ && process::Clock::now() >= *caller_due_) {
    caller_due_.reset();
    PIEVT_TRY(caller_gone({}));
  }
  return {};
}

// The run was called for by somebody who is not there any more.
Status Supervisor::caller_gone(const control::Server::Gone& gone) {
  if (control_->holders() > 0) return {};
  const RunState& run = record_.state();
  const auto wanted =
      gone.when_gone == schema::CallerGone::unknown ? run.on_caller_gone : gone.when_gone;
  if (wanted != schema::CallerGone::stop) return {};
  if (run.phase == RunPhase::finished || run.stop_mode == schema::StopMode::now) return {};
  PIEVT_TRY(request_stop(schema::StopMode::now, "the program that called for it is gone",
                         gone.client.peer.pid == 0 ? nullptr : by(gone.client)));
  return {};
}

// Only a program that called through an agent tool is there to be missed; a person's command has
// ended long before.
void Supervisor::expect_caller() {
  const RunState& run = record_.state();
  if (!run.tool.empty() && run.on_caller_gone == schema::CallerGone::stop)
    caller_due_ = process::Clock::now() + caller_patience;
}

void Supervisor::send_answers() {
  for (const auto& [to, answer] : std::exchange(answers_, {})) control_->answer(to, answer);
}

void Supervisor::tell_subscribers(control::Server::Tell tell) {
  if (!control_->has_subscribers()) return;
  const process::Moment now = process::Clock::now();
  const bool last = tell == control::Server::Tell::always;
  if (!last && (record_.state().revision == told_revision_ || now - told_at_ < tell_interval))
    return;
  told_revision_ = record_.state().revision;
  told_at_ = now;
  control_->publish(control::progress_of(record_.state()), tell);
}

Result<Revision> Supervisor::request_stop(schema::StopMode mode, std::string reason,
                                          std::unique_ptr<schema::RequesterT> asked_by) {
  schema::RunStopRequestedT event;
  event.mode = mode;
  event.reason = std::move(reason);
  event.asked_by = std::move(asked_by);
  const Revision revision = PIEVT_TRY(record_.propose({std::move(event)}));
  if (mode != schema::StopMode::now) return revision;
  std::vector<Token> tokens;
  for (const auto& [token, attempt] : attempts_) tokens.push_back(token);
  for (const Token token : tokens)
    PIEVT_TRY(stop(token, schema::StopReason::run_stopped, ChildInput::stop));
  return revision;
}

Status Supervisor::stop_attempts_of(std::uint32_t job, schema::StopReason reason) {
  std::vector<Token> tokens;
  for (const auto& [token, attempt] : attempts_) {
    if (attempt.subject.job == job) tokens.push_back(token);
  }
  for (const Token token : tokens) PIEVT_TRY(stop(token, reason, ChildInput::stop));
  return {};
}

}  // namespace pievt::supervisor
