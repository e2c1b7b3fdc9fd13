// `pievt salvage`: what can be saved of a damaged store.
#include <array>

#include <fmt/format.h>

#include "pievt/upkeep.h"
#include "tools/render/sanitise.h"
#include "tools/render/text.h"
#include "tools/verbs/copy_report.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_salvage = {
    argument("src", "the damaged store; only read").required().completing(Complete::directories),
    argument("dest", "the directory of the new store").required().completing(Complete::directories),
    flag("--dry-run", "save it, say what could be saved, and remove it again"),
};

constexpr Manual manual_of_salvage = {
    .details =
        "Saves every intact event of a damaged store into a new one, and names what is lost: "
        "sequences, and revisions of which streams, and texts of which runs; the file SALVAGED in "
        "the new store has it, too. The damaged store is only read, so nothing is "
        "made worse and it can be tried again. Needs twice the room of the store beside DEST.\n\n"
        "Events keep their sequences, revisions and ids, and are saved byte for byte. Where some "
        "are lost a mark takes their place: log and show pass over it, verify names it, and runs "
        "can be resumed. Try pievt doctor first: a store whose indexes are damaged has lost "
        "nothing.\n\n"
        "Exits with 0 when nothing was lost, with 4 when events or texts were.",
    .options = options_of_salvage,
    .examples = {{{"pievt salvage .pievt saved", "what is left, into the new store `saved`"},
                  {"pievt salvage .pievt saved --dry-run -o json", "how much that would be"}}},
};

void write_json(const Context& context, const SalvageReport& report, bool preview) {
  render::JsonWriter json = context.json();
  json.begin_document("pievt.salvage", 1)
      .member("store_id", report.store_id)
      .member("dry_run", preview)
      .member("events_lost", report.events_lost)
      .key("lost")
      .begin_array();
  for (const LostEvents& range : report.lost) {
    json.begin_object()
        .member("first", range.first.value)
        .member("last", range.last.value)
        .end_object();
  }
  json.end_array().key("streams").begin_array();
  for (const LostRevisions& part : report.streams) {
    json.begin_object()
        .member("stream", part.stream)
        .member("first", part.first.value)
        .member("last", part.last.value)
        .end_object();
  }
  json.end_array().member("unrepeatable", report.unrepeatable).key("damage").begin_array();
  for (const std::string& damage : report.damage) json.value(damage);
  json.end_array();
  write_copy(json, report.copy);
  json.end_object().end_document();
}

void write_text(const Context& context, const SalvageReport& report, bool preview) {
  for (const std::string& damage : report.damage)
    context.out.print("damage: {}\n", render::one_line(damage));
  for (const LostEvents& range : report.lost)
    context.out.print("lost: @{} to @{}\n", range.first.value, range.last.value);
  for (const LostRevisions& part : report.streams) {
    context.out.print("lost of {}: #{} to #{}\n", render::one_line(part.stream), part.first.value,
                      part.last.value);
  }
  write_problems(context, report.copy);
  context.out.print("{} {}\n", preview ? "could save" : "saved", copied_text(report.copy));
  const std::uint64_t texts = report.copy.bodies_missing + report.copy.bodies_damaged;
  const std::string also =
      texts == 0 ? ""
                 : fmt::format("; not there: {}", render::plural(texts, "text or chunk of output",
                                                                 "texts and chunks of output"));
  context.out.line((report.lost.empty()
                        ? "no event is lost"
                        : fmt::format("{} are lost", render::plural(report.events_lost, "event"))) +
                   also);
}

}  // namespace

const Manual& salvage_manual() {
  return manual_of_salvage;
}

Result<Exit> salvage(Context& context) {
  const std::filesystem::path from = context.arguments.text_or("src", "");
  const std::filesystem::path to = context.arguments.text_or("dest", "");
  const bool preview = context.arguments.has("--dry-run");
  CopyProgress progress(context, "saving");
  const SalvageReport report = PIEVT_TRY(pievt::salvage(
      from, to,
      {.preview = preview ? Preview::yes : Preview::no, .progress = progress.function()}));
  progress.finish();
  if (context.wants_json()) {
    write_json(context, report, preview);
  } else {
    write_text(context, report, preview);
  }
  const bool all = report.lost.empty() && report.copy.problems.empty();
  return all ? Exit::ok : Exit::evidence;
}

}  // namespace pievt::tools::verbs
