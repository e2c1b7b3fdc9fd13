// `pievt rerun`: a new run from the jobs of an old one.
#include "supervisor/turn/rerun.h"

#include <array>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "supervisor/launch/run_lock.h"
#include "supervisor/turn/plan_run.h"
#include "supervisor/turn/resume_run.h"
#include "tools/render/table.h"
#include "tools/verbs/control.h"
#include "tools/verbs/run_filter.h"
#include "tools/verbs/settings_in_force.h"
#include "tools/verbs/supervise.h"

namespace pievt::tools::verbs {
namespace {

using supervisor::RerunChoice;
using supervisor::RerunJob;

constexpr std::array options_of_rerun = {
    argument("run", "which run; the last one when left out").completing(Complete::runs),
    flag("--failed", "every job that did not succeed; what is done when nothing else is said"),
    flag("--all", "every job"),
    value("--kind", "KIND",
          "only jobs that failed so, e.g. provider_transient; `provider` is all of its kinds")
        .completing(Complete::kinds)
        .repeatable(),
    value("--job", "JOB", "this job; may be given more than once").repeatable(),
    value("--model", "MODEL", "another model for all of them"),
    value("--prompt", "FILE", "another prompt for all of them").completing(Complete::files),
    number("--concurrency", "N", "attempts at once; the old run's when left out"),
    flag("--dry-run", "print the jobs, and do nothing"),
    flag("--no-probe", "do not ask each model once before anything is spent on it"),
    value("--pi", "PROGRAM", "the pi to run: a name on PATH or a path"),
};

constexpr Manual manual_of_rerun = {
    .details =
        "Plans a new run of the jobs of an old one and supervises it in the foreground. Prompts, "
        "context, contracts, retry, limits, metadata and directories are those of the record, not "
        "of today's plan file. The new run names its parent, and each job the one that it "
        "repeats; `pievt runs --lineage RUN` shows them.\n\n"
        "A job that needed one which has succeeded does not wait for it again, and its final "
        "message is put into the prompt. One that needs a job which has not succeeded is refused "
        "unless that is run again, too.",
    .options = options_of_rerun,
    .examples = {{{"pievt rerun last --failed", "once more what did not succeed"},
                  {"pievt rerun 8084d3 --job ch07 --model anthropic/claude-opus-4-5",
                   "one job with another model"}}},
};

Result<RerunChoice> choice_of(const Context& context) {
  RerunChoice choice;
  choice.jobs = context.arguments.all("--job");
  const bool all = context.arguments.has("--all");
  const bool failed = context.arguments.has("--failed");
  if (all + failed + !choice.jobs.empty() > 1)
    return Error{Errc::invalid, "--failed, --all and --job exclude each other"};
  if (all) choice.which = RerunChoice::Which::all;
  if (!choice.jobs.empty()) choice.which = RerunChoice::Which::named;
  for (const std::string& word : context.arguments.all("--kind")) {
    if (word == "provider") {
      choice.kinds.insert(choice.kinds.end(), provider_failures.begin(), provider_failures.end());
      continue;
    }
    const auto* names = schema::EnumNamesFailureKind();
    std::size_t at = 0;
    while (names[at] != nullptr && word != names[at]) ++at;
    if (names[at] == nullptr)
      return Error{Errc::invalid, fmt::format("--kind {}: there is no such kind of failure", word)};
    choice.kinds.push_back(static_cast<schema::FailureKind>(at));
  }
  choice.model = context.arguments.text("--model");
  if (const auto file = context.arguments.text("--prompt")) {
    const std::ifstream in(*file, std::ios::binary);
    if (!in) return os_error(Errc::not_found, fmt::format("cannot read {}", *file), errno);
    std::ostringstream text;
    text << in.rdbuf();
    choice.prompt = text.str();
    if (choice.prompt->find_first_not_of(" \t\r\n") == std::string::npos)
      return Error{Errc::invalid, fmt::format("{}: a prompt must not be blank", *file)};
  }
  return choice;
}

void print_jobs(Context& context, const RunState& old, const std::vector<RerunJob>& jobs) {
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.rerun", 1).member("parent_run", old.run_id);
    json.key("jobs").begin_array();
    for (const RerunJob& job : jobs) {
      json.begin_object()
          .member("id", job.declared.id)
          .member("rerun_of", job.declared.rerun_of)
          .member("model", job.declared.model);
      json.end_object();
    }
    json.end_array().end_object().end_document();
    return;
  }
  render::Table table({{.title = "JOB"}, {.title = "MODEL"}, {.title = "LAST TIME"}});
  for (const RerunJob& job : jobs) {
    const JobState& before = *find_job(old, job.old_number);
    table.row({job.declared.id, job.declared.model.empty() ? "(pi's default)" : job.declared.model,
               before.phase == state::JobPhase::finished
                   ? fmt::format("{}: {}", schema::EnumNameJobStatus(before.status), before.reason)
                   : std::string("not finished")});
  }
  context.out.write(table.render(context.terminal));
}

}  // namespace

const Manual& rerun_manual() {
  return manual_of_rerun;
}

Result<Exit> rerun(Context& context) {
  const process::Signals signals = PIEVT_TRY(process::Signals::block());
  const RerunChoice choice = PIEVT_TRY(choice_of(context));
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write, .program = "pievt rerun"}));
  const Reference reference{
      PIEVT_TRY(whole_run(context, log, context.arguments.text_or("run", "last"),
                          "its jobs are chosen by --job ID, --failed or --kind KIND")),
      {},
      {}};
  const RunState old = PIEVT_TRY(load_run(log, reference.run));
  if (old.phase != state::RunPhase::finished && launch::supervisor_of(store, old.run_id)) {
    return Error{Errc::invalid_transition,
                 fmt::format("run {} is still being supervised; wait for it: pievt wait {}",
                             old.run_id, old.run_id)};
  }
  std::vector<RerunJob> jobs = PIEVT_TRY(supervisor::choose_jobs(log, old, choice));
  if (context.arguments.has("--dry-run")) {
    print_jobs(context, old, jobs);
    return Exit::ok;
  }
  const auto concurrency = static_cast<std::uint32_t>(
      context.arguments.number("--concurrency").value_or(std::max(1u, old.concurrency)));
  if (concurrency == 0)
    return Error{Errc::invalid, "--concurrency 0 would never start anything; use 1 or more"};
  supervisor::Options settings = supervisor_options(context, store);
  settings.settings = PIEVT_TRY(settings_in_force(context, store));
  supervisor::RunRecord record(log, supervisor::new_run_id(), {});
  const launch::RunLock lock =
      PIEVT_TRY(launch::RunLock::acquire(store, record.run_id(), "pievt rerun"));
  context.talk.say(fmt::format("store {}, run {}, {} of run {}", store.string(), record.run_id(),
                               render::plural(jobs.size(), "job"), old.run_id));
  const auto prepare = [&]() -> Status {
    PIEVT_TRY(supervisor::plan_rerun(record, old, std::move(jobs), concurrency,
                                     this_requester(program_name(context))));
    for (const std::string& missing : PIEVT_TRY(supervisor::restore_environments(record, settings)))
      context.talk.warn(missing);
    return {};
  };
  const Exit exit = PIEVT_TRY(supervise(context, record, settings, signals, prepare));
  PIEVT_TRY(log.close());
  return exit;
}

}  // namespace pievt::tools::verbs
