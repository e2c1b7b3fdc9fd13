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
Result<Exit> backup(Context&);      const Manual& backup_manual();
Result<Exit> bench(Context&);       const Manual& bench_manual();
Result<Exit> cat(Context&);         const Manual& cat_manual();
Result<Exit> completion(Context&);  const Manual& completion_manual();
Result<Exit> doctor(Context&);      const Manual& doctor_manual();
Result<Exit> gc(Context&);          const Manual& gc_manual();
Result<Exit> help(Context&);        const Manual& help_manual();
Result<Exit> import(Context&);      const Manual& import_manual();
Result<Exit> init(Context&);     const Manual& init_manual();
Result<Exit> log(Context&);         const Manual& log_manual();
Result<Exit> output(Context&);      const Manual& output_manual();
Result<Exit> replay(Context&);   const Manual& replay_manual();
Result<Exit> restore(Context&);  const Manual& restore_manual();
Result<Exit> resume(Context&);   const Manual& resume_manual();
Result<Exit> run(Context&);      const Manual& run_manual();
Result<Exit> runs(Context&);        const Manual& runs_manual();
Result<Exit> salvage(Context&);  const Manual& salvage_manual();
Result<Exit> show(Context&);     const Manual& show_manual();
Result<Exit> verify(Context&);      const Manual& verify_manual();
Result<Exit> version(Context&);     const Manual& version_manual();
// clang-format on

}  // namespace verbs

namespace {

constexpr std::array verb_rows = {
    Verb{"backup", Group::move, "a copy of the store beside a running pievt, later what is new",
         verbs::backup, verbs::backup_manual},
    Verb{"bench", Group::measure, "how fast this is on this machine and this disk", verbs::bench,
         verbs::bench_manual},
    Verb{"cat", Group::read, "the texts that events refer to: final messages, prompts, plans",
         verbs::cat, verbs::cat_manual},
    Verb{"completion", Group::about, "the completion script of a shell", verbs::completion,
         verbs::completion_manual},
    Verb{"doctor", Group::trust, "what is wrong around the store, each with what to do",
         verbs::doctor, verbs::doctor_manual},
    Verb{"gc", Group::move, "removes what no event refers to any more", verbs::gc,
         verbs::gc_manual},
    Verb{"help", Group::about, "what verbs do, and other topics", verbs::help, verbs::help_manual},
    Verb{"import", Group::move, "the batches of pi-jobs, as runs of this store", verbs::import,
         verbs::import_manual},
    Verb{"init", Group::run, "make a store here; harmless if there is one", verbs::init,
         verbs::init_manual},
    Verb{"log", Group::read, "the events of a run, oldest first", verbs::log, verbs::log_manual},
    Verb{"output", Group::read, "what an attempt wrote, byte for byte", verbs::output,
         verbs::output_manual},
    Verb{"replay", Group::read, "a run rebuilt from its events, up to any moment", verbs::replay,
         verbs::replay_manual},
    Verb{"restore", Group::move, "a store from a backup", verbs::restore, verbs::restore_manual},
    Verb{"resume", Group::run, "go on with an interrupted or stopped run", verbs::resume,
         verbs::resume_manual},
    Verb{"run", Group::run, "check a plan, then run it", verbs::run, verbs::run_manual},
    Verb{"runs", Group::read, "the runs of the store, newest first", verbs::runs,
         verbs::runs_manual},
    Verb{"salvage", Group::trust, "what can be saved of a damaged store, into a new one",
         verbs::salvage, verbs::salvage_manual},
    Verb{"show", Group::read, "the state of a run, a job or an attempt", verbs::show,
         verbs::show_manual},
    Verb{"verify", Group::trust, "whether the record is whole and unchanged", verbs::verify,
         verbs::verify_manual},
    Verb{"version", Group::about, "which pievt this is and what it was built from", verbs::version,
         verbs::version_manual},
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
    CandidateSource{"jobs", job_candidates},
    CandidateSource{"runs", run_candidates},
};
static_assert(std::ranges::adjacent_find(candidate_rows, std::ranges::greater_equal{},
                                         &CandidateSource::name) == candidate_rows.end());

}  // namespace

Tables all_tables() {
  return {verb_rows, daily_names, candidate_rows};
}

}  // namespace pievt::tools
