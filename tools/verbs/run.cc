// `pievt run PLAN.json`: checks the plan, then supervises it in the foreground.
#include <filesystem>

#include <fmt/format.h>

#include "supervisor/launch/run_lock.h"
#include "supervisor/plan/canonical.h"
#include "supervisor/plan/limits.h"
#include "supervisor/turn/plan_run.h"
#include "tools/render/table.h"
#include "tools/verbs/access.h"
#include "tools/verbs/control.h"
#include "tools/verbs/lint_report.h"
#include "tools/verbs/mended.h"
#include "tools/verbs/settings_in_force.h"
#include "tools/verbs/supervise.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_run = {
    argument("plan", "the plan file").shown_as("PLAN.json").required().completing(Complete::files),
    flag("--dry-run", "print the jobs the plan expands to, and do nothing"),
    flag("--detach", "hand it to pievtd and return when it is planned"),
    flag("--no-probe", "do not ask each model once before anything is spent on it"),
    number("--concurrency", "N", "attempts at once; the plan's own number when left out"),
    value("--pi", "PROGRAM", "the pi to run: a name on PATH or a path"),
};

constexpr Manual manual_of_run = {
    .details =
        "Reads the plan and refuses it with file, line and column when something in it cannot be "
        "right. Then asks every "
        "model one small question, so that a wrong key costs a second and not forty attempts, and "
        "runs the jobs.\n\n"
        "Ctrl-C once lets running attempts end and starts nothing new; twice stops them. Either "
        "way the record is whole, "
        "and `pievt resume` goes on. The exit code is 0 when every job succeeded and 1 when one "
        "did not.\n\n"
        "With --detach the run belongs to a process of its own, pievtd, that outlives this one, "
        "its terminal and its login; the run's id is printed as soon as the run is on the disk. "
        "`pievt wait` waits for it; `pievt stop`, `pause`, `cancel`, `add` and `set` work on it as "
        "on any run.",
    .options = options_of_run,
    .examples = {{{"pievt run plan.json", "run a plan and watch it"},
                  {"pievt run plan.json --dry-run", "see what it would run"}}},
};

Result<Exit> dry_run(Context& context, const plan::PlanFile& file) {
  if (context.wants_json()) {
    context.out.line(plan::canonical_json(file.plan));
    return Exit::ok;
  }
  using render::Narrow;
  render::Table table(
      {{.title = "JOB"},
       {.title = "NAME", .narrow = Narrow::shrink, .width_min = 12, .importance = 1},
       {.title = "MODEL"},
       {.title = "TIMEOUT", .align = render::Align::right},
       {.title = "AFTER", .narrow = Narrow::shrink, .width_min = 8}});
  for (const plan::JobSpec& job : file.plan.jobs) {
    std::string after;
    for (const plan::Dependency& dependency : job.depends_on) {
      after += fmt::format("{}{}", after.empty() ? "" : ", ", dependency.job);
    }
    table.row({job.id, job.name, job.model.value_or("(pi's default)"),
               render::duration_text(static_cast<std::int64_t>(job.timeout_ms) * 1'000'000),
               after});
  }
  context.out.write(table.render(context.terminal));
  const std::string path = context.arguments.text_or("plan", "");
  for (const auto& finding :
       find_lint(context, file, path, context.arguments.text_or("--pi", "pi")))
    context.talk.say(to_line(path, finding));
  return Exit::ok;
}

// What the daemon is told: it has another working directory, so every path is absolute but the one
// that messages and the record call the plan by.
control::Start start_of(const Context& context, const plan::PlanFile& file,
                        const std::filesystem::path& store, const std::string& plan_path,
                        std::uint32_t concurrency) {
  control::Start start;
  start.store = std::filesystem::absolute(store).string();
  start.run = supervisor::new_run_id();
  start.plan_text = file.text;
  start.plan_path = plan_path;
  start.plan_directory = std::filesystem::absolute(plan_path).parent_path().string();
  start.cwd = std::filesystem::current_path().string();
  start.concurrency = concurrency;
  start.pi = context.arguments.text_or("--pi", "pi");
  if (start.pi.find('/') != std::string::npos)
    start.pi = std::filesystem::absolute(start.pi).string();
  start.probe = !context.arguments.has("--no-probe");
  start.program = program_name(context);
  return start;
}

}  // namespace

const Manual& run_manual() {
  return manual_of_run;
}

Result<Exit> run(Context& context) {
  // Before RocksDB starts threads: they inherit the mask.
  const process::Signals signals = PIEVT_TRY(process::Signals::block());
  const std::string plan_path = context.arguments.text_or("plan", "");
  const auto found = store_path(context);
  // A dry run needs no store, and without one nothing was decided.
  const settings::Settings decided =
      found.ok() ? PIEVT_TRY(settings_in_force(context, *found)) : settings::Settings{};
  const plan::PlanFile file =
      PIEVT_TRY(plan::read_plan_file(plan_path, settings::plan_defaults(decided)));
  if (context.arguments.has("--dry-run")) return dry_run(context, file);
  if (!found.ok()) return found.error();
  const std::filesystem::path& store = *found;

  const auto asked = context.arguments.number("--concurrency");
  const auto concurrency = static_cast<std::uint32_t>(
      asked.value_or(file.plan.concurrency.value_or(plan::limits::concurrency_default)));
  if (concurrency == 0)
    return Error{Errc::invalid, "--concurrency 0 would never start anything; use 1 or more"};
  if (!asked && !file.plan.concurrency) {
    context.talk.say(fmt::format("concurrency is not given: {} attempts at once", concurrency));
  }
  if (context.arguments.has("--detach"))
    return detach(context, start_of(context, file, store, plan_path, concurrency));
  supervisor::Options settings = supervisor_options(context, store);
  settings.settings = decided;
  settings.job_environment =
      PIEVT_TRY(supervisor::job_environments(file.plan, settings.environment));

  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write, .program = "pievt run"}));
  say_mended(context, log);
  supervisor::RunRecord record(log, supervisor::new_run_id(), {});
  const launch::RunLock lock =
      PIEVT_TRY(launch::RunLock::acquire(store, record.run_id(), "pievt run"));
  const std::string cwd = std::filesystem::current_path().string();
  context.talk.say(fmt::format("store {}, run {}, {}", store.string(), record.run_id(),
                               render::plural(file.plan.jobs.size(), "job")));
  const Exit exit = PIEVT_TRY(supervise(context, record, settings, signals, [&] {
    return supervisor::plan_run(
        record, file,
        {plan_path,
         cwd,
         concurrency,
         decided,
         supervisor::secret_policy(settings),
         {{}, {}, std::make_unique<schema::RequesterT>(this_requester(program_name(context)))}});
  }));
  PIEVT_TRY(log.close());
  return exit;
}

}  // namespace pievt::tools::verbs
