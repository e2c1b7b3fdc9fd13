// Contradictions are errors and not a matter of which flag came last: a script that says both has a
// bug.
#include "tools/frame/globals.h"

#include <array>

#include <fmt/format.h>

#include "tools/frame/words.h"

namespace pievt::tools {
namespace {

constexpr std::array every_verbs = {
    value("--store", "DIR", "use this store (default: PIEVT_STORE, else .pievt found upwards)")
        .completing(Complete::directories),
    value("--at", "WHEN",
          "as it was at a sequence (@90812), revision (812), time, event or checkpoint"),
    choice("--output", "text|json|jsonl|csv", "how stdout is written (default: text)")
        .with_letter('o'),
    flag("--json", "short for --output json"),
    value("--fields", "A,B,...", "only these fields, in this order"),
    choice("--color", "auto|always|never", "when to use colours (default: auto)"),
    flag("--no-pager", "never start a pager"),
    flag("--no-input", "never ask; take the safe answer or fail"),
    flag("--quiet", "say nothing on stderr but warnings and errors").with_letter('q'),
    flag("--verbose", "say more on stderr").with_letter('v'),
    flag("--utc", "times in UTC instead of your zone"),
    flag("--help", "show the verb's help").with_letter('h'),
};

OutputFormat output_from(const std::string& text) {
  if (text == "json") return OutputFormat::json;
  if (text == "jsonl") return OutputFormat::jsonl;
  if (text == "csv") return OutputFormat::csv;
  return OutputFormat::text;
}

render::ColorChoice color_from(const std::string& text) {
  if (text == "always") return render::ColorChoice::always;
  if (text == "never") return render::ColorChoice::never;
  return render::ColorChoice::automatic;
}

Result<OutputFormat> output_of(const Arguments& arguments) {
  const OutputFormat output = output_from(arguments.text_or("--output", "text"));
  if (!arguments.has("--json")) return output;
  if (arguments.has("--output") && output != OutputFormat::json) {
    return Error{Errc::invalid, fmt::format("--json and --output {} contradict each other",
                                            *arguments.text("--output"))};
  }
  return OutputFormat::json;
}

}  // namespace

std::span<const Option> global_options() {
  return every_verbs;
}

Result<Globals> globals_from(const Arguments& arguments, render::Environment environment) {
  Globals globals;
  globals.store = arguments.text("--store");
  if (const char* store = environment("PIEVT_STORE"); !globals.store && store && *store != '\0') {
    globals.store = store;
  }
  globals.at = arguments.text("--at");
  globals.output = PIEVT_TRY(output_of(arguments));
  const std::string fields = arguments.text_or("--fields", "");
  for (const std::string_view field : split(fields, ',')) {
    if (field.empty()) return Error{Errc::invalid, "--fields has an empty name in its list"};
    globals.fields.emplace_back(field);
  }
  globals.color = color_from(arguments.text_or("--color", "auto"));
  if (arguments.has("--no-pager")) globals.paging = Paging::never;
  if (arguments.has("--no-input")) globals.asking = Asking::never;
  if (arguments.has("--quiet") && arguments.has("--verbose")) {
    return Error{Errc::invalid, "--quiet and --verbose contradict each other"};
  }
  if (arguments.has("--quiet")) globals.loudness = Loudness::quiet;
  if (arguments.has("--verbose")) globals.loudness = Loudness::verbose;
  if (arguments.has("--utc")) globals.zone = render::Zone::utc;
  return globals;
}

bool asks_for_json(std::span<const std::string> words) {
  const auto is_json = [](std::string_view format) {
    return format == "json" || format == "jsonl";
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--") return false;
    if (word == "--json") return true;
    if (word.starts_with("--output=") && is_json(word.substr(9))) return true;
    if (word.starts_with("-o") && is_json(word.substr(2))) return true;
    const bool takes_next = word == "-o" || word == "--output";
    if (takes_next && i + 1 < words.size() && is_json(words[i + 1])) return true;
  }
  return false;
}

}  // namespace pievt::tools
