// `pievt view FILE`: what is in a sealed file, straight from the file.
#include <array>

#include <fmt/format.h>

#include "pievt/sealed.h"
#include "pievt/shell_word.h"
#include "tools/exporters/event_facts.h"
#include "tools/render/sanitise.h"
#include "tools/render/table.h"
#include "tools/render/text.h"
#include "tools/verbs/access.h"
#include "tools/verbs/run_report.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_view = {
    argument("file", "what pievt seal wrote")
        .shown_as("FILE")
        .required()
        .completing(Complete::files),
    number("--event", "N", "only this event, as JSON"),
};

constexpr Manual manual_of_view = {
    .details =
        "Says what a sealed file holds, how much of it and where it comes from, and how the run "
        "went. Needs no store and writes nothing. The file is read whole: where a part of it is "
        "not what was sealed, that is said, and view exits with 5.\n\n"
        "For everything else, give the file to the verb: pievt show FILE/JOB, pievt replay FILE, "
        "pievt audit FILE, pievt diff FILE last, pievt export FILE, pievt verify FILE. Events of "
        "types that this version does not know are shown by the shapes that came with them.",
    .options = options_of_view,
    .examples = {{{"pievt view night.pievt", "what it is, and how the run went"},
                  {"pievt view night.pievt --event 812", "one event, found without unpacking"}}},
};

void write_event(const Context& context, const EventView& event, EventFacts& facts,
                 const std::string& payload) {
  render::JsonWriter json = context.json();
  json.begin_document("pievt.sealed_event", 1)
      .member("revision", event.revision().value)
      .member("type", facts.type(event))
      .member("time", facts.time(event.time_ns()))
      .member("job", event.head().job())
      .member("attempt", event.head().attempt())
      .member("causation", event.head().causation())
      .member("id", fmt::format("{}/{}", to_string(event.id.append), event.id.index))
      .key("payload")
      .raw(payload)
      .end_object()
      .end_document();
}

Result<Exit> view_event(Context& context, const SealedRun& run, std::uint64_t number) {
  const RunState nobody;  // names of jobs would need all events before this one
  EventFacts facts(run, nobody);
  PIEVT_TRY(run.event({number}, [&](const EventView& event) -> Status {
    const std::string payload = PIEVT_TRY(facts.payload(event));
    write_event(context, event, facts, payload);
    return {};
  }));
  return Exit::ok;
}

void write_json(const Context& context, const SealedFacts& facts,
                const std::filesystem::path& file) {
  context.json()
      .begin_document("pievt.view", 1)
      .member("file", file.string())
      .member("run", facts.run_id)
      .member("origin", facts.origin)
      .member("pievt_version", facts.pievt_version)
      .member("bytes", facts.file_bytes)
      .member("raw_bytes", facts.raw_bytes)
      .member("events", facts.events)
      .member("events_sha256", facts.events_sha256)
      .member("texts", facts.texts)
      .member("text_bytes", facts.text_bytes)
      .member("texts_missing", facts.texts_missing)
      .member("output_bytes", facts.output_bytes)
      .member("output_chunks_missing", facts.chunks_missing)
      .end_object()
      .end_document();
}

void write_facts(const Context& context, const SealedFacts& facts) {
  const auto row = [&](std::string_view name, const std::string& what) {
    context.out.print("{:<12} {}\n", name, render::one_line(what));
  };
  row("run", facts.run_id);
  row("from", fmt::format("{}, sealed by pievt {}", facts.origin, facts.pievt_version));
  row("holds",
      fmt::format("{}, {} ({}), {} of output", render::plural(facts.events, "event"),
                  render::plural(facts.texts, "text"), render::bytes_text(facts.text_bytes),
                  render::bytes_text(facts.output_bytes)));
  if (facts.texts_missing + facts.chunks_missing != 0)
    row("missing", fmt::format("{}, {} of output", render::plural(facts.texts_missing, "text"),
                               render::plural(facts.chunks_missing, "chunk")));
  row("size", fmt::format("{}, unpacked {}", render::bytes_text(facts.file_bytes),
                          render::bytes_text(facts.raw_bytes)));
  row("events", facts.events_sha256);
}

// What is shown is read from a few places of the file: the rest of it can be damaged all the same.
Result<Exit> wholeness(const Context& context, const std::filesystem::path& file) {
  const VerifyReport report = PIEVT_TRY(verify_sealed(file));
  if (report.verdict != Verdict::damaged) return Exit::ok;
  context.talk.warn(
      fmt::format("{} is DAMAGED: it is not what was sealed; pievt verify {} says "
                  "where",
                  file.string(), shell_word(file)));
  return Exit::corrupt;
}

}  // namespace

const Manual& view_manual() {
  return manual_of_view;
}

Result<Exit> view(Context& context) {
  const std::filesystem::path file = context.arguments.text_or("file", "");
  const auto run = PIEVT_TRY(open_sealed(file));
  if (const auto number = context.arguments.number("--event"))
    return view_event(context, *run, *number);
  if (context.wants_json()) {
    const Exit exit = PIEVT_TRY(wholeness(context, file));
    write_json(context, run->facts(), file);
    return exit;
  }
  const RunState state = PIEVT_TRY(run->state());
  const Exit exit = PIEVT_TRY(wholeness(context, file));
  context.pager.begin();
  write_facts(context, run->facts());
  context.out.line("");
  const ReportStyle style{context.terminal, context.globals.zone, state.updated_ns};
  context.out.write(job_table(state, style));
  context.out.line(run_headline(state, style));
  return exit;
}

}  // namespace pievt::tools::verbs
