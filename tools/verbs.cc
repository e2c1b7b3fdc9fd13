// The table. A row is a name, a group, one line of summary and two functions; everything longer
// lives with the verb.
#include "tools/verbs.h"

#include <algorithm>
#include <array>
#include <functional>

#include "tools/verbs/candidates.h"

namespace pievt::tools {
namespace verbs {

// clang-format off
Result<Exit> add(Context&);         const Manual& add_manual();
Result<Exit> apply(Context&);       const Manual& apply_manual();
Result<Exit> audit(Context&);       const Manual& audit_manual();
Result<Exit> backup(Context&);      const Manual& backup_manual();
Result<Exit> bench(Context&);       const Manual& bench_manual();
Result<Exit> cancel(Context&);      const Manual& cancel_manual();
Result<Exit> cat(Context&);         const Manual& cat_manual();
Result<Exit> completion(Context&);  const Manual& completion_manual();
Result<Exit> config(Context&);      const Manual& config_manual();
Result<Exit> cost(Context&);        const Manual& cost_manual();
Result<Exit> diff(Context&);        const Manual& diff_manual();
Result<Exit> doctor(Context&);      const Manual& doctor_manual();
Result<Exit> export_run(Context&);  const Manual& export_manual();
Result<Exit> gc(Context&);          const Manual& gc_manual();
Result<Exit> grep(Context&);        const Manual& grep_manual();
Result<Exit> help(Context&);        const Manual& help_manual();
Result<Exit> import(Context&);      const Manual& import_manual();
Result<Exit> init(Context&);     const Manual& init_manual();
Result<Exit> lint(Context&);        const Manual& lint_manual();
Result<Exit> log(Context&);         const Manual& log_manual();
Result<Exit> mcp(Context&);         const Manual& mcp_manual();
Result<Exit> output(Context&);      const Manual& output_manual();
Result<Exit> pause(Context&);       const Manual& pause_manual();
Result<Exit> replay(Context&);   const Manual& replay_manual();
Result<Exit> rerun(Context&);       const Manual& rerun_manual();
Result<Exit> restore(Context&);  const Manual& restore_manual();
Result<Exit> resume(Context&);   const Manual& resume_manual();
Result<Exit> run(Context&);      const Manual& run_manual();
Result<Exit> runs(Context&);        const Manual& runs_manual();
Result<Exit> salvage(Context&);  const Manual& salvage_manual();
Result<Exit> seal(Context&);        const Manual& seal_manual();
Result<Exit> set(Context&);         const Manual& set_manual();
Result<Exit> show(Context&);     const Manual& show_manual();
Result<Exit> stats(Context&);       const Manual& stats_manual();
Result<Exit> stop(Context&);        const Manual& stop_manual();
Result<Exit> timeline(Context&);    const Manual& timeline_manual();
Result<Exit> tool(Context&);        const Manual& tool_manual();
Result<Exit> unseal(Context&);      const Manual& unseal_manual();
Result<Exit> verify(Context&);      const Manual& verify_manual();
Result<Exit> version(Context&);     const Manual& version_manual();
Result<Exit> view(Context&);        const Manual& view_manual();
Result<Exit> wait(Context&);        const Manual& wait_manual();
Result<Exit> watch(Context&);       const Manual& watch_manual();
Result<Exit> why(Context&);         const Manual& why_manual();
Result<Exit> writes(Context&);      const Manual& writes_manual();
// clang-format on

}  // namespace verbs

namespace {

constexpr std::array verb_rows = {
    Verb{"add", Group::run, "one more job for a run that is being supervised", verbs::add,
         verbs::add_manual},
    Verb{"apply", Group::run, "accepted patches into your files, whole or not at all", verbs::apply,
         verbs::apply_manual},
    Verb{"audit", Group::audit, "the incident report: what happened, why, and what to do next",
         verbs::audit, verbs::audit_manual},
    Verb{"backup", Group::move, "a copy of the store beside a running pievt, later what is new",
         verbs::backup, verbs::backup_manual},
    Verb{"bench", Group::measure, "how fast this is on this machine and this disk", verbs::bench,
         verbs::bench_manual},
    Verb{"cancel", Group::run, "end one job without a result", verbs::cancel, verbs::cancel_manual},
    Verb{"cat", Group::read, "the texts that events refer to: final messages, prompts, plans",
         verbs::cat, verbs::cat_manual},
    Verb{"completion", Group::about, "the completion script of a shell", verbs::completion,
         verbs::completion_manual},
    Verb{"config", Group::about, "the settings in force, and the shape of their file",
         verbs::config, verbs::config_manual},
    Verb{"cost", Group::audit, "tokens and money, and how much of it bought nothing", verbs::cost,
         verbs::cost_manual},
    Verb{"diff", Group::audit, "what differs between two runs, two moments of one, or two plans",
         verbs::diff, verbs::diff_manual},
    Verb{"doctor", Group::trust, "what is wrong around the store, each with what to do",
         verbs::doctor, verbs::doctor_manual},
    Verb{"export", Group::move, "a run in another format, to a file or a pipe", verbs::export_run,
         verbs::export_manual},
    Verb{"gc", Group::move, "removes what no event refers to any more", verbs::gc,
         verbs::gc_manual},
    Verb{"grep", Group::audit, "lines of everything that was recorded", verbs::grep,
         verbs::grep_manual},
    Verb{"help", Group::about, "what verbs do, and other topics", verbs::help, verbs::help_manual},
    Verb{"import", Group::move, "the batches of pi-jobs, as runs of this store", verbs::import,
         verbs::import_manual},
    Verb{"init", Group::run, "make a store here; harmless if there is one", verbs::init,
         verbs::init_manual},
    Verb{"lint", Group::run, "what is wrong with a plan, before anything is spent on it",
         verbs::lint, verbs::lint_manual},
    Verb{"log", Group::read, "the events of a run, oldest first", verbs::log, verbs::log_manual},
    Verb{"mcp", Group::serve, "the agent tools and the record over MCP, on standard input",
         verbs::mcp, verbs::mcp_manual},
    Verb{"output", Group::read, "what an attempt wrote, byte for byte", verbs::output,
         verbs::output_manual},
    Verb{"pause", Group::run, "start nothing new until resume", verbs::pause, verbs::pause_manual},
    Verb{"replay", Group::read, "a run rebuilt from its events, up to any moment", verbs::replay,
         verbs::replay_manual},
    Verb{"rerun", Group::run, "a new run from the jobs of an old one, everything kept",
         verbs::rerun, verbs::rerun_manual},
    Verb{"restore", Group::move, "a store from a backup", verbs::restore, verbs::restore_manual},
    Verb{"resume", Group::run, "go on with a paused, stopped or interrupted run", verbs::resume,
         verbs::resume_manual},
    Verb{"run", Group::run, "check a plan, then run it", verbs::run, verbs::run_manual},
    Verb{"runs", Group::read, "the runs of the store, newest first", verbs::runs,
         verbs::runs_manual},
    Verb{"salvage", Group::trust, "what can be saved of a damaged store, into a new one",
         verbs::salvage, verbs::salvage_manual},
    Verb{"seal", Group::move, "a run as one file, small and verifiable alone", verbs::seal,
         verbs::seal_manual},
    Verb{"set", Group::run, "how much a run does at once; which job comes first", verbs::set,
         verbs::set_manual},
    Verb{"show", Group::read, "the state of a run, a job or an attempt", verbs::show,
         verbs::show_manual},
    Verb{"stats", Group::audit, "how attempts end, over many runs", verbs::stats,
         verbs::stats_manual},
    Verb{"stop", Group::run, "end a run early, whoever supervises it", verbs::stop,
         verbs::stop_manual},
    Verb{"timeline", Group::read, "a run as a waterfall: who did what when", verbs::timeline,
         verbs::timeline_manual},
    Verb{"tool", Group::serve, "what agents may call: list, schemas, and a call", verbs::tool,
         verbs::tool_manual},
    Verb{"unseal", Group::move, "a sealed file as a run of this store again", verbs::unseal,
         verbs::unseal_manual},
    Verb{"verify", Group::trust, "whether the record is whole and unchanged", verbs::verify,
         verbs::verify_manual},
    Verb{"version", Group::about, "which pievt this is and what it was built from", verbs::version,
         verbs::version_manual},
    Verb{"view", Group::read, "what a sealed file holds, without a store", verbs::view,
         verbs::view_manual},
    Verb{"wait", Group::run, "until runs end; the exit code is the run's", verbs::wait,
         verbs::wait_manual},
    Verb{"watch", Group::read, "what runs, as it runs, on the whole screen", verbs::watch,
         verbs::watch_manual},
    Verb{"why", Group::audit, "why a job ended as it did, back to the first cause", verbs::why,
         verbs::why_manual},
    Verb{"writes", Group::audit, "who wrote which path, inside or outside of its zone",
         verbs::writes, verbs::writes_manual},
};
static_assert(std::ranges::adjacent_find(verb_rows, std::ranges::greater_equal{}, &Verb::name) ==
                  verb_rows.end(),
              "verbs must be sorted by name, each once");

/// What `pievt help` shows, in the order in which one meets them. Verbs that do not exist are
/// passed over.
constexpr std::array<std::string_view, 12> daily_names = {
    "run",   "runs",   "show", "watch", "log",   "why",
    "audit", "replay", "diff", "cost",  "rerun", "resume",
};

/// What shells may ask for while completing. A source that the store does not serve offers nothing.
constexpr std::array candidate_rows = {
    CandidateSource{"formats", format_candidates},
    CandidateSource{"jobs", job_candidates},
    CandidateSource{"kinds", kind_candidates},
    CandidateSource{"runs", run_candidates},
};
static_assert(std::ranges::adjacent_find(candidate_rows, std::ranges::greater_equal{},
                                         &CandidateSource::name) == candidate_rows.end());

}  // namespace

Tables all_tables() {
  return {verb_rows, daily_names, candidate_rows};
}

}  // namespace pievt::tools
