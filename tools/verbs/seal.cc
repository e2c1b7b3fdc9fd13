// `pievt seal [run]`: a run as one file.
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "pievt/sealed.h"
#include "supervisor/record/clock.h"
#include "tools/frame/versions.h"
#include "tools/render/progress.h"
#include "tools/render/text.h"
#include "tools/verbs/access.h"
#include "tools/verbs/mended.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options = {
    argument("run", "which run; the last one when left out").completing(Complete::runs),
    value("--file", "FILE", "write to FILE; by default sealed/RUN.pievt in the store")
        .with_letter('f')
        .completing(Complete::files),
    flag("--force", "replace a file of that name"),
};

constexpr Manual manual = {
    .details =
        "Writes a run that has ended into one small file: its events, the texts they refer to, "
        "what its attempts wrote, and the shapes of all events, so that any pievt on any machine "
        "can read it. Verbs that take a run take the file instead: pievt show FILE, pievt diff "
        "FILE last. pievt view tells what is in it, pievt verify FILE whether it is whole, pievt "
        "unseal makes it a run of a store again.\n\n"
        "The file appears when it was written, read back and found equal; that is recorded in the "
        "store. The run stays in the store as it is. Whoever has the file can read the prompts and "
        "outputs in it: it is not encrypted, and is made for its owner alone (0600).\n\n"
        "Exits with 4 where texts or output were missing in the store already.",
    .options = options,
    .examples = {{{"pievt seal last", "the last run, beside the store's own files"},
                  {"pievt seal last~3 -f night.pievt", "a run to keep or to send on"}}},
};

void write_json(const Context& context, const SealReport& report,
                const std::filesystem::path& file) {
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
      .end_object()
      .end_document();
}

void write_text(const Context& context, const SealReport& report,
                const std::filesystem::path& file) {
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
}

}  // namespace

const Manual& seal_manual() {
  return manual;
}

Result<Exit> seal(Context& context) {
  if (context.globals.at)
    return Error{Errc::invalid,
                 "--at: a run is sealed as a whole; for a part of one see: pievt "
                 "export --at"};
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write, .program = "pievt seal"}));
  say_mended(context, log);
  const Reference reference =
      PIEVT_TRY(resolve(context, log, context.arguments.text_or("run", "last")));
  if (reference.job) return Error{Errc::invalid, "a run is sealed as a whole; name the run alone"};
  say_scope(context, log, reference.run, {});
  const auto source = PIEVT_TRY(open_run(log, reference.run));
  const auto named = context.arguments.text("--file");
  const std::filesystem::path file =
      named ? std::filesystem::path(*named) : PIEVT_TRY(sealed_place(store, reference.run));

  const auto now = [] { return static_cast<std::int64_t>(supervisor::boot_now_ns()); };
  render::Progress progress(context.talk.writer(), context.talk.terminal(), "sealing", now());
  SealOptions asked;
  asked.pievt_version = program_version();
  if (context.arguments.has("--force")) asked.existing = SealOptions::Existing::replace;
  if (context.globals.loudness != Loudness::quiet) {
    asked.progress = [&](std::uint64_t done, std::uint64_t total) {
      progress.set_total(total);
      progress.at(done, now());
    };
  }
  const SealReport report = PIEVT_TRY(pievt::seal(*source, file, asked));
  progress.finish();
  PIEVT_TRY(record_sealed(log, report, file));
  PIEVT_TRY(log.close());
  if (context.wants_json()) {
    write_json(context, report, file);
  } else {
    write_text(context, report, file);
  }
  const bool whole = report.facts.texts_missing + report.facts.chunks_missing == 0;
  return whole ? Exit::ok : Exit::evidence;
}

}  // namespace pievt::tools::verbs
