// `pievt stop`: ends a run early, whoever supervises it.
#include "tools/verbs/control.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_stop = {
    argument("run", "which run; the one that is being supervised when left out")
        .completing(Complete::runs),
    flag("--now", "stop what runs, too: TERM, TERM again, KILL"),
    value("--reason", "TEXT", "for the record"),
};

constexpr Manual manual_of_stop = {
    .details =
        "Starts nothing more and lets running attempts end; with --now stops them as well, with "
        "everything they have started. Jobs that have not run are cancelled; `pievt resume` goes "
        "on with them. Works from any terminal, for runs in the foreground and in the background. "
        "Who asked is in the record.",
    .options = options_of_stop,
    .examples = {{{"pievt stop", "end the run that is being supervised, softly"},
                  {"pievt stop 8084d3 --now", "end that one at once"}}},
};

}  // namespace

const Manual& stop_manual() {
  return manual_of_stop;
}

Result<Exit> stop(Context& context) {
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(open_to_read(context));
  const Reference run =
      PIEVT_TRY(supervised_run(context, log, store, context.arguments.text("run")));
  const auto mode =
      context.arguments.has("--now") ? schema::StopMode::now : schema::StopMode::drain;
  return ask(context, log, store, run.run,
             control::Stop{mode, context.arguments.text_or("--reason", "")});
}

}  // namespace pievt::tools::verbs
