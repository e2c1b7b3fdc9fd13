// `pievt resume`: goes on with a run that is paused, that was stopped, or whose supervisor is gone.
#include <fmt/format.h>

#include "supervisor/launch/run_lock.h"
#include "supervisor/turn/resume_run.h"
#include "tools/verbs/access.h"
#include "tools/verbs/control.h"
#include "tools/verbs/mended.h"
#include "tools/verbs/settings_in_force.h"
#include "tools/verbs/supervise.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_resume = {
    argument("run", "which run; the last one when left out").completing(Complete::runs),
    flag("--detach", "hand it to pievtd and return when it is taken over"),
    flag("--no-probe", "do not ask the models first"),
    value("--pi", "PROGRAM", "the pi to run: a name on PATH or a path"),
};

constexpr Manual manual_of_resume = {
    .details =
        "Tells whoever supervises a paused run to go on with it. Takes a run over whose "
        "supervisor is gone: attempts that still run are watched again, "
        "those that ended "
        "meanwhile are judged by what they left behind, and the rest of the plan goes on. Nothing "
        "runs twice at once. "
        "A run that was stopped goes on with the jobs that its stop cancelled.",
    .options = options_of_resume,
    .examples = {{{"pievt resume", "go on with the last run"},
                  {"pievt resume 8084d3 --detach", "in the background, by the end of its id"}}},
};

// Somebody supervises the run. A paused one goes on when it is asked to; any other needs nobody, so
// `busy`, which says who that is, stands.
Result<Exit> ask_to_go_on(const Context& context, Log& log, const std::filesystem::path& store,
                          const std::string& run, const Error& busy) {
  PIEVT_TRY(log.refresh());
  const RunState state = PIEVT_TRY(load_run(log, run));
  if (state.phase != state::RunPhase::paused) return busy;
  return ask(context, log, store, run, control::Resume{});
}

control::Start start_of(const Context& context, const std::filesystem::path& store,
                        const std::string& run) {
  control::Start start;
  start.what = control::Start::What::resume;
  start.store = std::filesystem::absolute(store).string();
  start.run = run;
  start.cwd = std::filesystem::current_path().string();
  start.pi = context.arguments.text_or("--pi", "pi");
  if (start.pi.find('/') != std::string::npos)
    start.pi = std::filesystem::absolute(start.pi).string();
  start.probe = !context.arguments.has("--no-probe");
  start.program = program_name(context);
  return start;
}

Result<Exit> resume_detached(const Context& context, Log& log, const std::filesystem::path& store,
                             const std::string& run) {
  const RunState state = PIEVT_TRY(load_run(log, run));
  PIEVT_TRY(supervisor::check_resumable(state));
  const bool paused = state.phase == state::RunPhase::paused;
  if (paused && launch::supervisor_of(store, run))
    return ask(context, log, store, run, control::Resume{});
  return detach(context, start_of(context, store, run));
}

}  // namespace

const Manual& resume_manual() {
  return manual_of_resume;
}

Result<Exit> resume(Context& context) {
  const process::Signals signals = PIEVT_TRY(process::Signals::block());
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  const std::string word = context.arguments.text_or("run", "last");
  if (context.arguments.has("--detach")) {
    Log log = PIEVT_TRY(open_to_read(context));
    const Reference reference{PIEVT_TRY(whole_run(context, log, word)), {}, {}};
    return resume_detached(context, log, store, reference.run);
  }
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write, .program = "pievt resume"}));
  say_mended(context, log);
  const Reference reference{PIEVT_TRY(whole_run(context, log, word)), {}, {}};
  auto lock = launch::RunLock::acquire(store, reference.run, "pievt resume");
  if (!lock.ok() && lock.error().code == Errc::busy)
    return ask_to_go_on(context, log, store, reference.run, lock.error());
  if (!lock.ok()) return std::move(lock).error();
  PIEVT_TRY(log.refresh());  // what was said until the lock was ours counts too
  supervisor::RunRecord record(log, reference.run, PIEVT_TRY(load_run(log, reference.run)));
  PIEVT_TRY(supervisor::check_resumable(record.state()));
  supervisor::Options settings = supervisor_options(context, store);
  settings.settings = PIEVT_TRY(settings_in_force(context, store));
  for (const std::string& missing : PIEVT_TRY(supervisor::restore_environments(record, settings)))
    context.talk.warn(missing);
  say_scope(context, log, reference.run, {});
  const schema::RequesterT asked_by = this_requester(program_name(context));
  const Exit exit = PIEVT_TRY(supervise(
      context, record, settings, signals,
      [&] { return supervisor::reopen(record, asked_by.program, asked_by); },
      [&] { return supervisor::end_pause(record, asked_by.program, asked_by); }));
  PIEVT_TRY(log.close());
  return exit;
}

}  // namespace pievt::tools::verbs
