// `pievt seal [run]`: a run as one file. With --remove the file takes the place of the run's texts
// and output in the store: intended in the log first, then done by the collector that `pievt gc`
// is.
#include <array>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "pievt/sealed.h"
#include "pievt/upkeep.h"
#include "supervisor/launch/run_lock.h"
#include "supervisor/record/clock.h"
#include "tools/frame/versions.h"
#include "tools/render/progress.h"
#include "tools/render/text.h"
#include "tools/verbs/access.h"
#include "tools/verbs/mended.h"
#include "tools/verbs/removed.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_seal = {
    argument("run", "which run; the last one when left out").completing(Complete::runs),
    value("--file", "FILE", "write to FILE; by default sealed/RUN.pievt in the store")
        .with_letter('f')
        .completing(Complete::files),
    flag("--force", "replace a file of that name"),
    flag("--remove", "then remove the run's texts and output from the store"),
    flag("--dry-run", "with --remove: say what would be removed, and do nothing"),
};

constexpr Manual manual_of_seal = {
    .details =
        "Writes a run that has ended into one small file: its events, the texts they refer to, "
        "what its attempts wrote, and the shapes of all events, so that any pievt on any machine "
        "can read it. Verbs that take a run take the file instead: pievt show FILE, pievt diff "
        "FILE last. pievt view tells what is in it, pievt verify FILE whether it is whole, pievt "
        "unseal makes it a run of a store again.\n\n"
        "The file appears when it was written, read back and found equal; that is recorded in the "
        "store. The run stays in the store as it is, unless --remove is said. Whoever has the file "
        "can read the prompts and outputs in it: it is not encrypted, and is made for its owner "
        "alone (0600).\n\n"
        "With --remove the run's texts and output leave the store, once the file is there and "
        "the store has recorded it. Its events stay for ever, and so do texts that another run "
        "refers to. Nothing asks back; --dry-run says first what would go. It needs the store for "
        "itself, as pievt gc does. Texts stay while a process lives that has appended to the "
        "store: then the next pievt gc takes them. After a kill at any moment the same command "
        "goes on where it was cut off. Keep the file: sealed/ is in no backup. pievt unseal FILE "
        "brings texts and output back.\n\n"
        "Exits with 4 where texts or output were missing in the store already (where it was "
        "output, nothing is removed), and with 3 where the removal has to wait.",
    .options = options_of_seal,
    .examples = {{{"pievt seal last~3 -f night.pievt", "a run to keep or to send on"},
                  {"pievt seal last --remove", "keep the file, and only the events in the store"}}},
};

// What became of the texts and the output in the store.
struct Removal {
  enum class State : std::uint8_t { done, waits, refused } state = State::done;
  GcReport report;
  std::string why;  ///< unless it is done
};

std::string_view word_of(Removal::State state) {
  switch (state) {
    case Removal::State::done:
      return "done";
    case Removal::State::waits:
      return "waits";
    case Removal::State::refused:
      break;
  }
  return "refused";
}

void write_removal_members(render::JsonWriter& json, const GcReport& report) {
  json.member("texts", report.sealed_texts)
      .member("output_chunks", report.sealed_output_chunks)
      .member("bytes", report.bytes)
      .member("texts_shared", report.shared_texts)
      .member("kept_for_processes", report.kept_for_processes);
}

void write_json(const Context& context, const SealReport& report, const std::filesystem::path& file,
                const std::optional<Removal>& removal) {
  const SealedFacts& facts = report.facts;
  render::JsonWriter json = context.json();
  json.begin_document("pievt.seal", 1)
      .member("run", facts.run_id)
      .member("file", file.string())
      .member("sha256", report.sha256)
      .member("bytes", facts.file_bytes)
      .member("raw_bytes", facts.raw_bytes)
      .member("events", facts.events)
      .member("events_sha256", facts.events_sha256)
      .member("texts", facts.texts)
      .member("texts_missing", facts.texts_missing)
      .member("output_bytes", facts.output_bytes)
      .member("output_chunks_missing", facts.chunks_missing)
      .key("removal");
  if (removal) {
    json.begin_object().member("state", word_of(removal->state));
    write_removal_members(json, removal->report);
    json.end_object();
  } else {
    json.null();
  }
  json.end_object().end_document();
}

void write_amounts(const Context& context, std::string_view verb, const GcReport& report) {
  context.out.print("{} {} and {} of output from the store: {}\n", verb,
                    render::plural(report.sealed_texts, "text"),
                    render::plural(report.sealed_output_chunks, "chunk"),
                    render::bytes_text(report.bytes));
  if (report.shared_texts > 0)
    context.out.print("{} that other runs refer to {}\n",
                      render::plural(report.shared_texts, "text"),
                      report.shared_texts == 1 ? "stays" : "stay");
}

void write_text(const Context& context, const SealReport& report, const std::filesystem::path& file,
                const std::optional<Removal>& removal) {
  const SealedFacts& facts = report.facts;
  context.out.print("{}\n", file.string());
  context.out.print("{}, {}, {} of output: {} in {}\n", render::plural(facts.events, "event"),
                    render::plural(facts.texts, "text"), render::bytes_text(facts.output_bytes),
                    render::bytes_text(facts.raw_bytes), render::bytes_text(facts.file_bytes));
  if (facts.texts_missing + facts.chunks_missing != 0)
    context.out.print("missing in the store, and so in the file: {}, {} of output\n",
                      render::plural(facts.texts_missing, "text"),
                      render::plural(facts.chunks_missing, "chunk"));
  context.out.print("sha256 {}\n", report.sha256);
  if (removal && removal->state == Removal::State::done)
    write_amounts(context, "removed", removal->report);
}

Error removed_already(const Log& log, const std::string& run, const RemovedRun& removed) {
  return {Errc::invalid,
          fmt::format("the texts and output of run {} were {}. That file is the whole run: copy "
                      "it, or take them back with: pievt unseal FILE. What is left of them in the "
                      "store goes with: {}",
                      run, removed.sentence(log.info().directory),
                      store_command("gc", log.info().directory))};
}

// What is left of a run in the store is not the run any more.
Status refuse_removed(const Context& context, const Log& log, const std::string& run) {
  const auto removed = PIEVT_TRY(removed_run(context, log, run));
  if (!removed) return {};
  return removed_already(log, run, *removed);
}

// A run as it lies in its file.
struct Sealed {
  std::filesystem::path file;
  SealReport report;
};

// Where the removal of the run is recorded already: a kill came before all was removed, or somebody
// says it twice. It goes on only with the very file that the store knows, as long as that is the
// whole run.
Result<std::optional<Sealed>> sealed_before(const Context& context, const Log& log,
                                            const std::string& run) {
  const auto removed = PIEVT_TRY(removed_run(context, log, run));
  if (!removed) return std::optional<Sealed>();
  const std::filesystem::path place = removed->place(log.info().directory);
  const auto named = context.arguments.text("--file");
  std::error_code failed;
  const bool is_named = !named || std::filesystem::equivalent(*named, place, failed);
  const bool is_whole = PIEVT_TRY(log.stream_head(run_stream(run))).value == removed->events;
  const auto digest = sha256_of_file(place);
  if (!context.arguments.has("--remove") || !is_named || !is_whole || !digest.ok() ||
      *digest != removed->sha256)
    return removed_already(log, run, *removed);
  const auto sealed = PIEVT_TRY(open_sealed(place));
  return std::optional(Sealed{place, {sealed->facts(), *digest}});
}

// The event is in the log, so whatever happens now is made up for by the next collection.
Result<Removal> remove_original(const std::filesystem::path& store, const std::string& run) {
  GcOptions asked;
  asked.only_run = run;
  Removal removal;
  auto collected = collect_garbage(store, asked);
  if (collected.ok()) {
    removal.report = std::move(*collected);
    if (removal.report.kept_for_processes == 0) return removal;
    removal.why = fmt::format("{} may yet refer to what is in the store",
                              fmt::join(removal.report.processes, ", "));
  } else if (collected.error().code == Errc::busy) {
    removal.why = collected.error().what;
  } else {
    return Error{collected.error().code,
                 fmt::format("the run was sealed, but its texts and output are still in the store: "
                             "{}. Then run: {}",
                             collected.error().what, store_command("gc", store))};
  }
  removal.state = Removal::State::waits;
  return removal;
}

Result<Exit> preview(Context& context, const std::filesystem::path& store) {
  GcOptions asked;
  asked.preview = Preview::yes;
  {
    const Log log = PIEVT_TRY(open_to_read(context));
    const Reference reference =
        PIEVT_TRY(resolve(context, log, context.arguments.text_or("run", "last")));
    if (reference.job)
      return Error{Errc::invalid, "a run is sealed as a whole; name the run alone"};
    say_scope(context, log, reference.run, {});
    PIEVT_TRY(refuse_removed(context, log, reference.run));
    PIEVT_TRY(check_ended(PIEVT_TRY(load_run(log, reference.run))));
    asked.only_run = reference.run;
  }
  const GcReport report = PIEVT_TRY(collect_garbage(store, asked));
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.seal_preview", 1).member("run", asked.only_run);
    write_removal_members(json, report);
    json.end_object().end_document();
    return Exit::ok;
  }
  if (report.kept_for_processes > 0) {
    context.out.print("nothing would be removed while these live: {}\n",
                      fmt::join(report.processes, ", "));
  } else {
    write_amounts(context, "would remove", report);
  }
  return Exit::ok;
}

Result<SealReport> write_file(Context& context, const Log& log, const std::string& run,
                              const std::filesystem::path& file) {
  const auto source = PIEVT_TRY(open_run(log, run));
  const auto now = [] { return static_cast<std::int64_t>(supervisor::boot_now_ns()); };
  render::Progress progress(context.talk.writer(), context.talk.terminal(), "sealing", now());
  SealOptions asked;
  asked.pievt_version = program_version();
  // A file that was finished before a kill, and one that was made without --remove, is the one.
  if (context.arguments.has("--remove")) asked.existing = SealOptions::Existing::accept;
  if (context.arguments.has("--force")) asked.existing = SealOptions::Existing::replace;
  if (context.globals.loudness != Loudness::quiet) {
    asked.progress = [&](std::uint64_t done, std::uint64_t total) {
      progress.set_total(total);
      progress.at(done, now());
    };
  }
  auto report = pievt::seal(*source, file, asked);
  if (report.ok()) progress.finish();
  return report;
}

// Output that could not be read is perhaps only damaged, and evidence of that.
bool may_go(const SealReport& report) {
  return report.facts.chunks_missing == 0;
}

// Seals the run, and has that in the log.
Result<Sealed> seal_and_record(Context& context, Log& log, const std::string& run) {
  const bool removes = context.arguments.has("--remove");
  if (auto before = PIEVT_TRY(sealed_before(context, log, run))) return std::move(*before);
  const auto named = context.arguments.text("--file");
  const std::filesystem::path file =
      named ? std::filesystem::path(*named) : PIEVT_TRY(sealed_place(log.info().directory, run));
  SealReport report = PIEVT_TRY(write_file(context, log, run, file));
  const bool goes = removes && may_go(report);
  PIEVT_TRY(record_sealed(log, report, file, goes ? Original::goes : Original::stays));
  return Sealed{file, std::move(report)};
}

Status check_words(const Context& context) {
  if (context.globals.at)
    return Error{Errc::invalid,
                 "--at: a run is sealed as a whole; for a part of one see: pievt "
                 "export --at"};
  if (context.arguments.has("--dry-run") && !context.arguments.has("--remove"))
    return Error{Errc::invalid, "--dry-run says what --remove would take; say both"};
  return {};
}

// With --remove nobody else may write, or the removal could only wait: better known at once.
OpenOptions open_options(bool removes) {
  OpenOptions asked{.mode = OpenMode::write, .program = "pievt seal"};
  if (!removes) return asked;
  asked.sharing = Sharing::sole;
  asked.wait = brief_lock_wait;
  return asked;
}

}  // namespace

const Manual& seal_manual() {
  return manual_of_seal;
}

Result<Exit> seal(Context& context) {
  PIEVT_TRY(check_words(context));
  const bool removes = context.arguments.has("--remove");
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  if (context.arguments.has("--dry-run")) return preview(context, store);
  Log log = PIEVT_TRY(Log::open(store, open_options(removes)));
  say_mended(context, log);
  const Reference reference =
      PIEVT_TRY(resolve(context, log, context.arguments.text_or("run", "last")));
  if (reference.job) return Error{Errc::invalid, "a run is sealed as a whole; name the run alone"};
  say_scope(context, log, reference.run, {});
  std::optional<launch::RunLock> lock;
  if (removes)
    lock.emplace(PIEVT_TRY(launch::RunLock::acquire(store, reference.run, "pievt seal")));
  const Sealed sealed = PIEVT_TRY(seal_and_record(context, log, reference.run));
  const auto& [file, report] = sealed;
  PIEVT_TRY(log.close());
  std::optional<Removal> removal;
  if (removes && may_go(report)) {
    removal = PIEVT_TRY(remove_original(store, reference.run));
  } else if (removes) {
    removal = Removal{Removal::State::refused, {}, "output is missing in the file"};
  }
  if (context.wants_json()) {
    write_json(context, report, file, removal);
  } else {
    write_text(context, report, file, removal);
  }
  if (removal && removal->state == Removal::State::refused)
    context.talk.warn(fmt::format("nothing was removed: {}", removal->why));
  if (removal && removal->state == Removal::State::waits) {
    context.talk.warn(
        fmt::format("the texts and output are still in the store: {}. The next pievt gc takes them",
                    removal->why));
    return Exit::store;
  }
  const bool whole = report.facts.texts_missing + report.facts.chunks_missing == 0;
  return whole ? Exit::ok : Exit::evidence;
}

}  // namespace pievt::tools::verbs
