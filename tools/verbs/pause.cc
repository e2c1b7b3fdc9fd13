// `pievt pause`: nothing new is started until `pievt resume`.
#include "tools/verbs/control.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_pause = {
    argument("run", "which run; the one that is being supervised when left out")
        .completing(Complete::runs),
    value("--reason", "TEXT", "for the record"),
};

constexpr Manual manual_of_pause = {
    .details =
        "Running attempts go on and are judged; nothing new is started, and no retry, until "
        "`pievt resume`. A paused run stays paused when its supervisor dies.",
    .options = options_of_pause,
    .examples = {{{"pievt pause", "hold the run that is being supervised"},
                  {"pievt pause last --reason 'the provider is down'", "say why, for the record"}}},
};

}  // namespace

const Manual& pause_manual() {
  return manual_of_pause;
}

Result<Exit> pause(Context& context) {
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(open_to_read(context));
  const Reference run =
      PIEVT_TRY(supervised_run(context, log, store, context.arguments.text("run")));
  return ask(context, log, store, run.run,
             control::Pause{context.arguments.text_or("--reason", "")});
}

}  // namespace pievt::tools::verbs
