// `pievt lint PLAN.json`: what is wrong with a plan, before anything is spent on it.
#include <array>

#include <fmt/format.h>

#include "tools/verbs/lint_report.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_lint = {
    argument("plan", "the plan file").shown_as("PLAN.json").required().completing(Complete::files),
    value("--pi", "PROGRAM", "the pi whose models count: a name on PATH or a path"),
    flag("--no-models", "do not ask pi which models it knows"),
};

constexpr Manual manual_of_lint = {
    .details =
        "Finds what would only be noticed when the agents have been paid, each with file, line "
        "and column: patterns that are none or match nothing, contracts that contradict "
        "themselves, zones of parallel jobs that overlap, models that pi does not list, "
        "directories that are missing, placeholders of empty lists. Notes say what is worth "
        "knowing, such as jobs with no check that looks at content.\n\n"
        "Nothing is run but pi --list-models, which asks no model. The exit code is 0 when only "
        "notes are found, 1 when there are warnings or errors, and 2 when the plan cannot be "
        "read.",
    .options = options_of_lint,
    .examples = {{{"pievt lint plan.json", "what is wrong with a plan"},
                  {"pievt lint plan.json -o json | jq '.items[] | select(.severity == \"error\")'",
                   "what cannot work"}}},
};

void write_json(const Context& context, const std::string& path,
                const std::vector<lint::Finding>& findings) {
  render::JsonWriter json = context.json();
  json.begin_document("pievt.lint", 1);
  json.member("plan", path).key("items").begin_array();
  for (const lint::Finding& finding : findings) {
    json.begin_object()
        .member("severity", std::string(lint::name_of(finding.severity)))
        .member("rule", finding.rule)
        .member("line", finding.line)
        .member("column", finding.column)
        .member("job", finding.job)
        .member("sentence", finding.sentence)
        .end_object();
  }
  json.end_array().end_object();
  json.end_document();
}

}  // namespace

const Manual& lint_manual() {
  return manual_of_lint;
}

Result<Exit> lint(Context& context) {
  const std::string path = context.arguments.text_or("plan", "");
  const plan::PlanFile file = PIEVT_TRY(plan::read_plan_file(path));
  const std::string pi =
      context.arguments.has("--no-models") ? "" : context.arguments.text_or("--pi", "pi");
  const auto findings = find_lint(context, file, path, pi);
  if (context.wants_json()) {
    write_json(context, path, findings);
  } else {
    for (const auto& finding : findings) context.out.line(to_line(path, finding));
    if (findings.empty()) context.talk.say("nothing was found");
  }
  return is_bad(findings) ? Exit::no : Exit::ok;
}

}  // namespace pievt::tools::verbs
