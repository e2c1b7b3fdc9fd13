// `pievt import`: another system's directory, or a run of another store, becomes runs of this one.
#include <array>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "store/views/run_view.h"
#include "supervisor/record/clock.h"
#include "tools/frame/versions.h"
#include "tools/importers/importer.h"
#include "tools/render/progress.h"
#include "tools/render/text.h"
#include "tools/verbs/access.h"
#include "tools/verbs/mended.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_import = {
    argument("path", "a workspace, its .pi/jobs, one batch, a jsonl export, or a sealed run")
        .required()
        .completing(Complete::files),
    flag("--dry-run", "say what would be imported, and write nothing"),
};

constexpr Manual manual_of_import = {
    .details =
        "Reads what pi-jobs 0.5 left in .pi/jobs and tells it as runs of this store, with their "
        "own times and under their own ids; every other verb works on them as on any run. The "
        "source is never written to. Verdicts are taken over as recorded and are named as those of "
        "the ruleset pi-jobs-0.5.\n\n"
        "No batch is left out because something in it is damaged: each torn line, missing file, "
        "contradiction or unknown value is an event ImportAnomalyFound of its run, with file, line "
        "and offset, and is listed here. Importing the same directory again adds nothing; a batch "
        "that has grown since goes on where it was.\n\n"
        "A FILE that pievt export --format jsonl or pievt seal wrote becomes the same run here, "
        "under its own id "
        "and with its own times, texts and output. It is checked whole before anything is stored; "
        "imported again it adds nothing, and one that has grown goes on where it was.\n\n"
        "Exits with 0 also where there are anomalies: they were imported, too.",
    .options = options_of_import,
    .examples = {{{"pievt import ~/project --dry-run", "what there is, and what is wrong with it"},
                  {"pievt import ~/project/.pi/jobs", "all batches of a project"}}},
};

std::string_view word_of(RunImport outcome) {
  switch (outcome) {
    case RunImport::imported:
      return "imported";
    case RunImport::continued:
      return "continued";
    case RunImport::unchanged:
      return "unchanged";
    case RunImport::restored:
      break;
  }
  return "restored";
}

std::string place_of(const schema::ImportAnomalyFoundT& what) {
  std::string place = what.file;
  if (what.line != 0) place += fmt::format(":{} (byte {})", what.line, what.offset);
  return place;
}

void write_anomaly(render::JsonWriter& json, const FoundAnomaly& found) {
  const schema::ImportAnomalyFoundT& what = found.what;
  json.begin_object()
      .member("anomaly", schema::EnumNameImportAnomaly(what.anomaly))
      .member("file", what.file)
      .member("line", what.line)
      .member("offset", what.offset)
      .member("size", what.size)
      .member("detail", what.detail)
      .member("field", what.field)
      .member("expected", what.expected)
      .member("actual", what.actual)
      .end_object();
}

void write_json(Context& context, const ImportReport& report, bool preview) {
  render::JsonWriter json = context.json();
  json.begin_document("pievt.import", 1)
      .member("source_kind", report.source_kind)
      .member("dry_run", preview)
      .key("runs")
      .begin_array();
  for (const ImportedRun& run : report.runs) {
    json.begin_object()
        .member("run", run.run_id)
        .member("outcome", preview ? "preview" : word_of(run.outcome))
        .member("status", run.status)
        .key("jobs")
        .begin_object();
    for (const auto& [word, count] : run.jobs) json.member(word, count);
    json.end_object()
        .member("attempts", run.attempts)
        .member("records", run.records)
        .member("files", run.files)
        .member("bytes", run.bytes)
        .member("events", run.events)
        .key("anomalies")
        .begin_array();
    for (const FoundAnomaly& found : run.anomalies) write_anomaly(json, found);
    json.end_array().end_object();
  }
  json.end_array().key("anomalies").begin_array();
  for (const FoundAnomaly& found : report.anomalies) write_anomaly(json, found);
  json.end_array().end_object().end_document();
}

void write_anomalies(Context& context, const std::vector<FoundAnomaly>& anomalies) {
  for (const FoundAnomaly& found : anomalies) {
    const std::string place = place_of(found.what);
    context.out.print("  {}: {}{}\n", schema::EnumNameImportAnomaly(found.what.anomaly),
                      place.empty() ? "" : place + ": ", found.what.detail);
  }
}

void write_text(Context& context, const ImportReport& report, bool preview) {
  std::uint64_t anomalies = report.anomalies.size();
  for (const ImportedRun& run : report.runs) {
    std::vector<std::string> jobs;
    for (const auto& [word, count] : run.jobs) jobs.push_back(fmt::format("{} {}", count, word));
    context.out.print("{}  {}  {}  {}{}\n", run.run_id, run.status,
                      jobs.empty() ? "no jobs" : fmt::format("{}", fmt::join(jobs, ", ")),
                      preview ? "would be imported" : word_of(run.outcome),
                      run.anomalies.empty()
                          ? ""
                          : ", " + render::plural(run.anomalies.size(), "anomaly", "anomalies"));
    write_anomalies(context, run.anomalies);
    anomalies += run.anomalies.size();
  }
  write_anomalies(context, report.anomalies);
  if (report.runs.empty()) context.out.print("no batches there\n");
  context.talk.say(fmt::format("{}, {}", render::plural(report.runs.size(), "batch", "batches"),
                               render::plural(anomalies, "anomaly", "anomalies")));
}

Result<const Importer*> importer_of(const std::filesystem::path& path) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) {
    return Error{Errc::not_found, fmt::format("{} is not there", path.string())};
  }
  for (const Importer& importer : importers()) {
    if (importer.recognises(path)) return &importer;
  }
  return Error{Errc::invalid,
               fmt::format("{} is nothing that can be imported: name a directory with .pi/jobs in "
                           "it, that directory, one batch, or a file of pievt export",
                           path.string())};
}

}  // namespace

const Manual& import_manual() {
  return manual_of_import;
}

Result<Exit> import(Context& context) {
  const std::filesystem::path path = context.arguments.text_or("path", "");
  const bool preview = context.arguments.has("--dry-run");
  const Importer* importer = PIEVT_TRY(importer_of(path));
  const auto now = [] { return static_cast<std::int64_t>(supervisor::boot_now_ns()); };
  render::Progress progress(context.talk.writer(), context.talk.terminal(), "importing", now());
  ImportOptions asked;
  asked.pievt_version = program_version();
  if (context.talk.loudness() != Loudness::quiet) {
    asked.progress = [&](std::uint64_t done, std::uint64_t total) {
      progress.set_total(total);
      progress.at(done, now());
    };
  }
  std::optional<Log> log;
  if (!preview) {
    const std::filesystem::path store = PIEVT_TRY(store_path(context));
    log.emplace(PIEVT_TRY(Log::open(store, {.mode = OpenMode::write})));
    say_mended(context, *log);
    say_scope(context, *log, "", {});
  }
  const ImportReport report = PIEVT_TRY(importer->read(log ? &*log : nullptr, path, asked));
  progress.finish();
  if (log) {
    PIEVT_TRY(save_views(*log));
    for (const ImportedRun& run : report.runs) PIEVT_TRY(save_run(*log, run.run_id));
    PIEVT_TRY(log->close());
  }
  if (context.wants_json()) {
    write_json(context, report, preview);
  } else {
    write_text(context, report, preview);
  }
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
