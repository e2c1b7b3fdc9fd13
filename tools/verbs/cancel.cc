// `pievt cancel RUN/JOB`: ends one job without a result.
#include <fmt/format.h>

#include "tools/verbs/control.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_cancel = {
    argument("job", "RUN/JOB").shown_as("RUN/JOB").required().completing(Complete::jobs),
    value("--reason", "TEXT", "for the record"),
};

constexpr Manual manual_of_cancel = {
    .details =
        "A job that waits, or waits to try again, is cancelled at once; of one that runs, the "
        "attempt is stopped with everything it has started. Jobs that need its success are "
        "skipped, those that only wait for its end go on.",
    .options = options_of_cancel,
    .examples = {{{"pievt cancel last/ch07", "end one job of the last run"},
                  {"pievt cancel 8084d3/ch07 --reason 'wrong source'", "say why, for the record"}}},
};

}  // namespace

const Manual& cancel_manual() {
  return manual_of_cancel;
}

Result<Exit> cancel(Context& context) {
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(open_to_read(context));
  const std::string word = context.arguments.text_or("job", "");
  const Reference what = PIEVT_TRY(resolve(context, log, word));
  if (!what.job || *what.job == 0 || what.attempt) {
    return Error{Errc::invalid, fmt::format("{}: name a job, as RUN/JOB; a whole run is ended with "
                                            "pievt stop",
                                            word)};
  }
  const RunState run = PIEVT_TRY(load_run(log, what.run));
  return ask(
      context, log, store, what.run,
      control::CancelJob{find_job(run, *what.job)->id, context.arguments.text_or("--reason", "")});
}

}  // namespace pievt::tools::verbs
