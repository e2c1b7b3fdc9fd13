// `pievt audit [run...]`: the incident report.
#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "pievt/query.h"
#include "pievt/version.h"
#include "tools/audit/build.h"
#include "tools/audit/json.h"
#include "tools/audit/markdown.h"
#include "tools/audit/policy.h"
#include "tools/audit/text.h"
#include "tools/audit/together.h"
#include "tools/verbs/access.h"
#include "tools/verbs/chosen_runs.h"
#include "tools/verbs/neighbours.h"
#include "tools/verbs/rulesets.h"
#include "tools/verbs/run_status.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_audit = {
    argument("run", "which runs; the last one when left out")
        .completing(Complete::runs)
        .repeatable(),
    value("--since", "WHEN", "all runs planned from then on"),
    flag("--full", "every row, however many there are"),
    value("--policy", "FILE", "rules over history that must hold").completing(Complete::files),
    value("--ruleset", "NAME", "judge by these rules (default: the newest)"),
    choice("--output", "text|json|jsonl|md|sarif", "how stdout is written (default: text)")
        .with_letter('o'),
};

constexpr Manual manual_of_audit = {
    .details =
        "What happened, why, and what to do next: the state now, first causes with their "
        "consequences folded under them, what can be used, next commands and their price, then "
        "the timeline, jobs, cost, secrets, writes, other runs of the plan, what today's rules "
        "make "
        "of it, and whether the record can be believed. Of several runs what all of them need, "
        "their causes and commands come first, together. Every statement names its events (#812); "
        "what is not known is listed and never shown as zero.\n\n"
        "A policy is a JSON file with any of forbiddenPaths, forbiddenCommands, network, budget, "
        "retries, secrets, weak; see docs/audit.md. Old runs can be asked too.\n\n"
        "It exits with 0 when there is nothing to report, 1 when the run failed, a person is "
        "needed "
        "or a rule is broken, 4 when a part of the record is missing, 5 when it is damaged.",
    .options = options_of_audit,
    .examples = {{{"pievt audit", "the last run"},
                  {"pievt audit --since yesterday -o md", "the night, for the ticket"}}},
};

struct Audited {
  audit::RunReport report;
  RunStory story;
};

Result<std::optional<audit::Policy>> read_policy(const Context& context) {
  const auto path = context.arguments.text("--policy");
  if (!path) return std::optional<audit::Policy>();
  std::ifstream file(*path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return os_error(fmt::format("the policy {} cannot be read", *path), errno);
  auto policy = audit::parse_policy(text.str());
  if (!policy.ok())
    return Error{policy.error().code, fmt::format("{}: {}", *path, policy.error().what)};
  return std::optional(std::move(policy).value());
}

// What commands of the report call the run: the part behind its last dash where that is enough.
std::string short_id(const RunList& runs, const std::string& id) {
  const std::string tail = id.substr(id.rfind('-') + 1);
  const auto found = resolve_run(runs, tail);
  return found.ok() && *found == id ? tail : id;
}

std::string live_status(const Context& context, const RunState& run, const LogInfo& info) {
  if (context.globals.at || run.phase == state::RunPhase::finished) return "";
  return std::string(run_status(run.phase, run.ending, run.supervisor.get(), info).word);
}

Result<Audited> audit_run(const Context& context, const Log& log, const ChosenRun& chosen,
                          const RunList& runs, const audit::Policy* policy) {
  audit::Material material = PIEVT_TRY(audit::gather(log, chosen.id, chosen.at));
  audit::BuildOptions build;
  build.ruleset = PIEVT_TRY(chosen_ruleset(context));
  build.short_id = short_id(runs, chosen.id);
  build.live_status = live_status(context, material.run, log.info());
  build.others = PIEVT_TRY(neighbours(log, runs, material.run));
  Audited audited;
  audited.report = audit::build_report(material, build);
  if (policy != nullptr) {
    audit::apply_policy(audited.report, material, *policy, [&](const story::ToolCall& call) {
      return call.arguments ? text_or_nothing(log, *call.arguments) : std::string();
    });
  }
  audited.story = std::move(material.story);
  return audited;
}

// The worst of all: damage, then a failure, then what is missing.
Exit worst(Exit a, Exit b) {
  const auto rank = [](Exit exit) {
    switch (exit) {
      case Exit::corrupt:
        return 3;
      case Exit::no:
        return 2;
      case Exit::evidence:
        return 1;
      default:
        return 0;
    }
  };
  return rank(a) >= rank(b) ? a : b;
}

std::vector<audit::RunReport> reports_of(const std::vector<Audited>& all) {
  std::vector<audit::RunReport> reports;
  for (const Audited& each : all) reports.push_back(each.report);
  return reports;
}

void write_text(Context& context, const std::vector<Audited>& all) {
  const audit::TextStyle style{
      context.terminal, context.globals.zone,
      context.arguments.has("--full") ? audit::Length::full : audit::Length::brief};
  const bool markdown = context.arguments.text_or("--output", "") == "md";
  if (all.size() > 1) {
    const std::vector<audit::RunReport> reports = reports_of(all);
    context.out.write(markdown ? audit::together_markdown(reports, style)
                               : audit::together_text(reports, style));
    context.out.line("");
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) context.out.line("");
    context.out.write(markdown ? audit::report_markdown(all[i].report, all[i].story, style)
                               : audit::report_text(all[i].report, all[i].story, style));
  }
}

void write_json(Context& context, const std::vector<Audited>& all) {
  auto json = context.json();
  if (context.globals.output == OutputFormat::jsonl) {
    for (const Audited& each : all) {
      json.begin_document("pievt.audit.item", audit::audit_schema_version);
      audit::write_report_members(json, each.report);
      json.end_object().end_document();
    }
    return;
  }
  json.begin_document(audit::audit_schema, audit::audit_schema_version).key("items").begin_array();
  for (const Audited& each : all) {
    json.begin_object();
    audit::write_report_members(json, each.report);
    json.end_object();
  }
  json.end_array();
  audit::write_together(json, reports_of(all));
  json.end_object().end_document();
}

void write_sarif(Context& context, const std::vector<Audited>& all) {
  const std::vector<audit::RunReport> reports = reports_of(all);
  render::JsonWriter json(context.out, render::JsonWriter::Layout::indented);
  audit::write_sarif(json, reports, version);
  json.end_document();
}

}  // namespace

const Manual& audit_manual() {
  return manual_of_audit;
}

Result<Exit> audit(Context& context) {
  const auto policy = PIEVT_TRY(read_policy(context));
  PIEVT_TRY(chosen_ruleset(context));
  const Log log = PIEVT_TRY(open_to_read(context));
  const std::vector<ChosenRun> chosen = PIEVT_TRY(chosen_runs(context, log));
  const RunList runs = PIEVT_TRY(load_runs(log));
  say_scope(context, log, chosen.size() == 1 ? chosen.front().id : "",
            chosen.size() == 1 ? chosen.front().at : Revision());
  if (chosen.empty()) context.talk.say("no run since then");
  std::vector<Audited> all;
  Exit exit = Exit::ok;
  for (const ChosenRun& run : chosen) {
    all.push_back(PIEVT_TRY(audit_run(context, log, run, runs, policy ? &*policy : nullptr)));
    exit = worst(exit, static_cast<Exit>(audit::exit_code(all.back().report)));
  }
  context.pager.begin();
  if (context.wants_json()) {
    write_json(context, all);
  } else if (context.arguments.text_or("--output", "") == "sarif") {
    write_sarif(context, all);
  } else {
    write_text(context, all);
  }
  return exit;
}

}  // namespace pievt::tools::verbs
