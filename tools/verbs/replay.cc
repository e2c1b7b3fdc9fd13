// `pievt replay [run]`: rebuilds the state from the events alone, and shows the way there.
#include <algorithm>
#include <charconv>
#include <chrono>

#include <poll.h>

#include <fmt/format.h>

#include "store/views/run_view.h"
#include "tools/verbs/access.h"
#include "tools/verbs/replay_step.h"
#include "tools/verbs/replay_teller.h"
#include "tools/verbs/replay_verify.h"
#include "tools/verbs/run_end.h"
#include "tools/verbs/run_report.h"
#include "tools/verbs/run_status.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_replay = {
    argument("run", "which run; the last one when left out").completing(Complete::runs),
    flag("--state", "only the state, without the way there"),
    flag("--step", "event by event, by keys: next, previous, jump, filter"),
    value("--speed", "FACTOR", "with the pauses there were, so many times faster: 10x"),
    flag("--follow", "go on as events arrive, until the run has finished").with_letter('f'),
    flag("--verify", "compare the states that were recorded on the way with those rebuilt"),
};

constexpr Manual manual_of_replay = {
    .details =
        "Reconstructs a run from its events, from the first one on, without any saved state. "
        "Nothing is executed, "
        "nobody is asked, nothing is written. With --at, up to that moment.\n\n"
        "--step shows one event at a time and what it changed in the state: n and p go on and "
        "back, N and P by ten, g and G to the ends, j jumps to a number, / shows only events with "
        "a "
        "text, s shows all jobs, q leaves. Without a terminal the keys are read from standard "
        "input and each picture is printed.\n\n"
        "--verify exits with 0 where all recorded digests equal those rebuilt, 5 where one "
        "differs, 4 where there is none to compare.",
    .options = options_of_replay,
    .examples = {{{"pievt replay last", "how the last run went, and its state at the end"},
                  {"pievt replay last --at 812", "the state after its event #812"}}},
};

Result<double> speed_of(const std::string& typed) {
  std::string_view digits = typed;
  if (digits.ends_with('x')) digits.remove_suffix(1);
  double speed = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), speed);
  if (failed != std::errc() || end != digits.data() + digits.size() || !(speed > 0))
    return Error{Errc::invalid, fmt::format("--speed {}: write a factor, like 10x", typed)};
  return speed;
}

Status check_replay_options(const Context& context) {
  const Arguments& given = context.arguments;
  int ways = 0;
  for (const char* way : {"--state", "--step", "--follow", "--verify"}) ways += given.has(way);
  if (ways > 1)
    return Error{Errc::invalid, "--state, --step, --follow and --verify exclude each other"};
  if (given.has("--follow") && context.globals.at)
    return Error{Errc::invalid, "--follow and --at contradict each other: the past does not go on"};
  if (given.has("--step") && context.wants_json())
    return Error{Errc::invalid, "--step is for eyes; as JSON: pievt replay --at EVENT -o json"};
  return {};
}

// Waits as long as the run did, `speed` times shorter.
void pace(std::uint64_t from_ns, std::uint64_t to_ns, double speed) {
  if (from_ns == 0 || to_ns <= from_ns) return;
  const double wait_ms = static_cast<double>(to_ns - from_ns) / 1e6 / speed;
  if (wait_ms >= 1) ::poll(nullptr, 0, static_cast<int>(std::min(wait_ms, 3.6e6)));
}

Status tell(Context& context, Teller& teller, EventReader reader, double speed, RunEnd& end) {
  std::uint64_t last_ns = 0;
  while (!context.out.done() && reader.next()) {
    const EventView& event = reader.event();
    if (speed > 0) {
      context.out.flush();
      pace(last_ns, event.time_ns(), speed);
      last_ns = std::max(last_ns, event.time_ns());
    }
    teller.tell(event);
    end.see(event.type());
  }
  return reader.status();
}

Status follow(Context& context, const Log& log, const std::string& run, Revision after,
              Teller& teller, RunEnd end) {
  constexpr std::chrono::seconds round{1};
  Follower follower = PIEVT_TRY(log.follow(log.head()));
  std::uint32_t stream = 0;
  auto first = log.read_stream(run_stream(run), {1}, {1});
  if (first.next()) stream = first.event().stamp->stream();
  context.out.flush();
  while (!end.over() && !context.out.done()) {
    EventReader news = PIEVT_TRY(follower.wait(round));
    while (!end.over() && news.next()) {
      const EventView& event = news.event();
      if (event.stamp->stream() != stream || event.revision() <= after) continue;
      teller.tell(event);
      end.see(event.type());
    }
    PIEVT_TRY(news.status());
    context.out.flush();
  }
  return {};
}

// Nobody may be there to go on with it: waiting for that in silence looks like a fault.
void say_who_goes_on(const Context& context, const Log& log, const RunState& run) {
  if (run_status(run.phase, run.ending, run.supervisor.get(), log.info()).word != "interrupted")
    return;
  context.talk.say(fmt::format(
      "nobody supervises this run any more; it goes on with: pievt resume {}", run.run_id));
}

}  // namespace

const Manual& replay_manual() {
  return manual_of_replay;
}

Result<Exit> replay(Context& context) {
  PIEVT_TRY(check_replay_options(context));
  const Arguments& given = context.arguments;
  const auto typed = given.text("--speed");
  const double speed = typed ? PIEVT_TRY(speed_of(*typed)) : 0;
  const Log log = PIEVT_TRY(open_to_read(context));
  const std::string word = given.text_or("run", "last");
  const std::string name = PIEVT_TRY(
      whole_run(context, log, word, fmt::format("pievt log {} lists a job's events", word)));
  const Revision at = PIEVT_TRY(moment(context, log, name));
  say_scope(context, log, name, at);
  if (given.has("--step")) {
    context.talk.say("reconstructed from events; nothing is executed");
    return step_through(context, log, name, at);
  }
  if (given.has("--verify")) return verify_replay(context, log, name, at);
  const auto begin = std::chrono::steady_clock::now();
  RunState run = PIEVT_TRY(fold_run(log, name, at));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  context.talk.say(fmt::format("reconstructed from {} in {:.1f} ms; nothing was executed",
                               render::plural(run.revision, "event"), took.count()));
  const bool follows = given.has("--follow");
  if (follows) say_who_goes_on(context, log, run);
  if (context.wants_json() && !follows) {
    PIEVT_TRY(write_run_document(context, run));
    return Exit::ok;
  }
  if (!follows && speed == 0) context.pager.begin();
  if (!given.has("--state")) {
    EventNames names(log);
    Teller teller(context, names);
    RunEnd end;
    const Revision last{run.revision};
    PIEVT_TRY(tell(context, teller, log.read_stream(run_stream(name), {1}, last), speed, end));
    if (follows) {
      PIEVT_TRY(follow(context, log, name, last, teller, end));
      run = PIEVT_TRY(load_run(log, name));
    }
    context.out.line("");
  }
  const ReportStyle style{context.terminal, context.globals.zone, run.updated_ns};
  context.out.write(job_table(run, style));
  context.out.line(run_headline(run, style));
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
