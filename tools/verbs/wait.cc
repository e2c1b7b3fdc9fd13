// `pievt wait RUN...`: until runs end. Their supervisors tell; nothing is asked again and again.
#include <algorithm>
#include <chrono>
#include <vector>

#include <poll.h>

#include <fmt/format.h>

#include "supervisor/launch/run_lock.h"
#include "supervisor/record/clock.h"
#include "tools/verbs/control.h"
#include "tools/verbs/run_report.h"

namespace pievt::tools::verbs {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array options_of_wait = {
    flag("--any", "return when the first of them has ended"),
    duration("--timeout", "give up after this long"),
    argument("run", "which runs; all that are being supervised when left out")
        .shown_as("RUN")
        .completing(Complete::runs)
        .repeatable(),
};

constexpr Manual manual_of_wait = {
    .details =
        "The exit code is the run's: 0 when every job succeeded and 1 when one did not; of several "
        "runs, 0 only when it is 0 for each. A run whose supervisor is gone does not end by "
        "itself, "
        "and is told of at once, with exit code 1. With --timeout, exit code 4 when it has come: "
        "nothing is known to be wrong, and nothing is known.",
    .options = options_of_wait,
    .examples = {{{"pievt wait last --timeout 2h", "wait for the last run, two hours at most"},
                  {"pievt run plan.json --detach | xargs pievt wait", "start a run and wait"}}},
};

/// One run that is waited for.
struct Waited {
  std::string run;
  std::optional<control::Connection> supervisor = {};
  enum class State : std::uint8_t { goes_on, ended, interrupted } state = State::goes_on;
  std::optional<RunState> last = {};
};

// Looks at the record, and, where the run goes on, finds who supervises it.
Status look(const Context& context, Log& log, const std::filesystem::path& store, Waited& waited) {
  // The owner first: one that is gone has written all it will.
  const bool supervised = launch::supervisor_of(store, waited.run).has_value();
  PIEVT_TRY(log.refresh());
  waited.last = PIEVT_TRY(load_run(log, waited.run));
  if (waited.last->phase == state::RunPhase::finished) {
    waited.state = Waited::State::ended;
    return {};
  }
  if (!supervised) {
    waited.state = Waited::State::interrupted;
    return {};
  }
  auto connection =
      control::Connection::open(store, waited.run, program_name(context), control::soon());
  if (!connection.ok()) {
    // It may be on its way out or in; the next look will tell.
    return connection.error().code == Errc::not_found ? Status() : connection.error();
  }
  const auto subscribed = connection->ask(control::Subscribe{}, control::soon());
  if (subscribed.ok()) waited.supervisor.emplace(std::move(*connection));
  return {};
}

// Takes what has been told. An end of the connection is an end of the run or of its supervisor.
void take(Waited& waited) {
  for (;;) {
    const auto progress = waited.supervisor->next_progress(Clock::now());
    if (progress.ok() && !*progress) return;
    if (progress.ok() && (*progress)->phase != state::RunPhase::finished) continue;
    waited.supervisor.reset();
    return;
  }
}

bool is_over(const std::vector<Waited>& runs, bool any) {
  const auto over = [](const Waited& run) { return run.state != Waited::State::goes_on; };
  return any ? std::ranges::any_of(runs, over) : std::ranges::all_of(runs, over);
}

// Sleeps until one of the supervisors says something, one that is not reached may be there, or the
// deadline.
void sleep_until_told(std::vector<Waited>& runs, std::optional<Clock::time_point> deadline) {
  std::vector<pollfd> fds;
  bool unreached = false;
  for (const Waited& run : runs) {
    if (run.supervisor) fds.push_back({run.supervisor->fd(), POLLIN, 0});
    unreached = unreached || (!run.supervisor && run.state == Waited::State::goes_on);
  }
  std::chrono::milliseconds most =
      unreached ? std::chrono::milliseconds(50) : std::chrono::milliseconds(60'000);
  if (deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
    most = std::clamp(left, std::chrono::milliseconds(0), most);
  }
  static_cast<void>(::poll(fds.data(), fds.size(), static_cast<int>(most.count())));
}

Result<std::vector<Waited>> runs_to_wait_for(const Context& context, const Log& log,
                                             const std::filesystem::path& store) {
  std::vector<Waited> runs;
  for (const std::string& word : context.arguments.all("run"))
    runs.push_back({PIEVT_TRY(whole_run(context, log, word))});
  if (!runs.empty()) return runs;
  for (const auto& run : PIEVT_TRY(load_runs(log)).runs) {
    if (run->phase != state::RunPhase::finished && launch::supervisor_of(store, run->run_id))
      runs.push_back({run->run_id});
  }
  if (!runs.empty()) return runs;
  return Error{Errc::not_found, "no run of this store is being supervised; name the runs"};
}

std::string_view word_for(const Waited& run) {
  if (run.state == Waited::State::interrupted) return "interrupted";
  if (run.state == Waited::State::goes_on) return "running";
  switch (run.last->ending) {
    case schema::RunEnding::succeeded:
      return "succeeded";
    case schema::RunEnding::failed:
      return "failed";
    case schema::RunEnding::stopped:
      return "stopped";
    case schema::RunEnding::unknown:
      break;
  }
  return "finished";
}

void report(const Context& context, const std::vector<Waited>& runs) {
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.wait", 1).key("runs").begin_array();
    for (const Waited& run : runs) {
      json.begin_object()
          .member("run", run.run)
          .member("status", word_for(run))
          .member("reason", run.last ? run.last->reason : "");
      json.end_object();
    }
    json.end_array().end_object().end_document();
    return;
  }
  for (const Waited& run : runs) {
    if (run.state == Waited::State::goes_on) continue;
    if (run.state == Waited::State::interrupted) {
      context.out.line(
          fmt::format("run {} is interrupted: its supervisor is gone; go on with it: "
                      "pievt resume {}",
                      run.run, run.run));
    } else {
      context.out.line(run_headline(
          *run.last, {context.terminal, context.globals.zone, supervisor::wall_now_ns()}));
    }
  }
}

Exit exit_of(const std::vector<Waited>& runs, bool any) {
  Exit exit = Exit::ok;
  for (const Waited& run : runs) {
    if (run.state == Waited::State::goes_on) {
      if (!any) return Exit::evidence;
      continue;
    }
    if (run.state == Waited::State::interrupted || !run.last ||
        run.last->ending != schema::RunEnding::succeeded)
      exit = Exit::no;
  }
  return exit;
}

}  // namespace

const Manual& wait_manual() {
  return manual_of_wait;
}

Result<Exit> wait(Context& context) {
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(open_to_read(context));
  std::vector<Waited> runs = PIEVT_TRY(runs_to_wait_for(context, log, store));
  const bool any = context.arguments.has("--any");
  std::optional<Clock::time_point> deadline;
  if (const auto timeout = context.arguments.duration_ns("--timeout"))
    deadline = Clock::now() + std::chrono::nanoseconds(*timeout);
  for (;;) {
    for (Waited& run : runs) {
      if (run.supervisor) take(run);
      if (!run.supervisor && run.state == Waited::State::goes_on)
        PIEVT_TRY(look(context, log, store, run));
    }
    if (is_over(runs, any)) break;
    if (deadline && Clock::now() >= *deadline) {
      report(context, runs);
      context.talk.warn("the time is up, and they have not all ended");
      return Exit::evidence;
    }
    sleep_until_told(runs, deadline);
  }
  report(context, runs);
  return exit_of(runs, any);
}

}  // namespace pievt::tools::verbs
