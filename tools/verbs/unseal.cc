// `pievt unseal FILE`: a sealed run becomes a run of this store again.
#include <array>

#include <fmt/format.h>

#include "supervisor/record/clock.h"
#include "tools/frame/versions.h"
#include "tools/importers/sealed.h"
#include "tools/render/progress.h"
#include "tools/render/text.h"
#include "tools/verbs/access.h"
#include "tools/verbs/mended.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_unseal = {
    argument("file", "what pievt seal wrote")
        .shown_as("FILE")
        .required()
        .completing(Complete::files),
};

constexpr Manual manual_of_unseal = {
    .details =
        "Stores the run of a sealed file into this store: the same events with the same numbers, "
        "ids and times, the same texts and the same output, byte for byte. The file is verified "
        "whole before anything is stored, and stays as it is. Where the store has the run "
        "already, nothing is added, but for texts and output that pievt seal --remove took: they "
        "are "
        "there again, and stay. Where it has another run under that id, that is left alone.\n\n"
        "Only to look at a run, no store is needed: pievt show FILE and every other verb that "
        "reads a run read the file.\n\n"
        "Exits with 3 where a later version sealed it with events that this one does not know.",
    .options = options_of_unseal,
    .examples = {{{"pievt unseal night.pievt", "the run, in the store that is found upwards"},
                  {"pievt unseal night.pievt --store other/.pievt", "in another store"}}},
};

}  // namespace

const Manual& unseal_manual() {
  return manual_of_unseal;
}

Result<Exit> unseal(Context& context) {
  const std::filesystem::path file = context.arguments.text_or("file", "");
  const auto now = [] { return static_cast<std::int64_t>(supervisor::boot_now_ns()); };
  render::Progress progress(context.talk.writer(), context.talk.terminal(), "unsealing", now());
  ImportOptions asked;
  asked.pievt_version = program_version();
  if (context.globals.loudness != Loudness::quiet) {
    asked.progress = [&](std::uint64_t done, std::uint64_t total) {
      progress.set_total(total);
      progress.at(done, now());
    };
  }
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write, .program = "pievt unseal"}));
  say_mended(context, log);
  say_scope(context, log, "", {});
  const ImportReport report = PIEVT_TRY(sealed_file::read(&log, file, asked));
  progress.finish();
  PIEVT_TRY(save_views(log, report.runs.front().run_id));
  PIEVT_TRY(log.close());
  const ImportedRun& run = report.runs.front();
  const std::string_view outcome = run.outcome == RunImport::unchanged   ? "unchanged"
                                   : run.outcome == RunImport::continued ? "continued"
                                   : run.outcome == RunImport::restored  ? "restored"
                                                                         : "unsealed";
  if (context.wants_json()) {
    context.json()
        .begin_document("pievt.unseal", 1)
        .member("run", run.run_id)
        .member("file", file.string())
        .member("outcome", outcome)
        .member("status", run.status)
        .member("events", run.records)
        .member("events_added", run.events)
        .end_object()
        .end_document();
  } else {
    context.out.print("{}  {}  {}, {}\n", run.run_id, run.status,
                      render::plural(run.records, "event"), outcome);
  }
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
