// `pievt show [run[/job[/attempt]]]`: the state, now or at a moment.
#include <fmt/format.h>

#include "supervisor/record/clock.h"
#include "tools/verbs/access.h"
#include "tools/verbs/run_report.h"
#include "tools/verbs/run_status.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_show = {
    argument("run", "a run, RUN/JOB or RUN/JOB/ATTEMPT; the last run when left out")
        .completing(Complete::runs),
};

constexpr Manual manual_of_show = {
    .details =
        "What is true of a run: its jobs, why each ended as it did, what it took and cost. With a "
        "job, its "
        "attempts and what its gate saw. With --at, the same as it was then.",
    .options = options_of_show,
    .examples = {{{"pievt show last", "the last run"},
                  {"pievt show last/intro --at 02:14", "one of its jobs as it was at 02:14"}}},
};

}  // namespace

const Manual& show_manual() {
  return manual_of_show;
}

Result<Exit> show(Context& context) {
  const Log log = PIEVT_TRY(open_to_read(context));
  const auto [reference, at, run] =
      PIEVT_TRY(look(context, log, context.arguments.text_or("run", "last")));
  say_scope(context, log, reference.run, at);
  if (context.wants_json()) {
    PIEVT_TRY(write_run_document(context, run));
    return Exit::ok;
  }
  // In the past nothing goes on: running things are measured against the moment that is looked at.
  // Nor does it in a run that was left.
  const bool goes_on =
      at.value == 0 &&
      run_status(run.phase, run.ending, run.supervisor.get(), log.info()).word != "interrupted";
  const ReportStyle style{context.terminal, context.globals.zone,
                          goes_on ? supervisor::wall_now_ns() : run.updated_ns};
  if (reference.attempt) {
    const AttemptState* attempt = find_attempt(run, *reference.job, *reference.attempt);
    if (attempt == nullptr)
      return Error{Errc::not_found, "that attempt had not begun at that moment"};
    context.out.write(attempt_report(*attempt, style));
  } else if (reference.job && *reference.job != 0) {
    const JobState* job = find_job(run, *reference.job);
    if (job == nullptr) return Error{Errc::not_found, "that job was not declared at that moment"};
    context.out.write(job_report(run, *job, style));
  } else {
    context.pager.begin();
    context.out.write(job_table(run, style));
    context.out.line(run_headline(run, style));
  }
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
