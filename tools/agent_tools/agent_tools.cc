// See agent_tools.h.
#include "tools/agent_tools/agent_tools.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "supervisor/plan/canonical.h"
#include "supervisor/plan/key_schema.h"
#include "supervisor/plan/text.h"
#include "tools/agent_tools/guards.h"
#include "tools/agent_tools/plan_text.h"
#include "tools/agent_tools/worker_report.h"

namespace pievt::tools {
namespace {

using plan::json_text;
using plan::JsonKind;
using plan::JsonView;
using plan::Where;

// ---- Schemas -----------------------------------------------------------------------------------

std::string object_of(std::string_view required, std::string_view properties) {
  return fmt::format(
      R"({{"type": "object", "additionalProperties": false, "required": [{}], "properties": )"
      R"({{{}}}}})",
      required, properties);
}

/// What one job may say, without braces.
std::string job_properties() {
  return fmt::format(
      R"("name": {{"type": "string", "description": "What the job is, in a few words"}}, )"
      R"("prompt": {{"type": "string", "description": "Everything the worker needs to know: it )"
      R"(sees nothing else of this conversation"}}, )"
      R"("cwd": {{"type": "string", "description": "Where it works; the current directory if )"
      R"(left out"}}, )"
      R"("timeoutMs": {{"type": "number", "description": "It is stopped after so many )"
      R"(milliseconds; 600000 if left out"}}, )"
      R"("model": {{"type": "string", "description": "provider/model; that of this session if )"
      R"(left out"}}, )"
      R"("thinking": {{"enum": ["off", "minimal", "low", "medium", "high", "xhigh"]}}, )"
      R"("acceptance": {}, )"
      R"("metadata": {{"type": "object", "additionalProperties": {{"type": "string"}}}})",
      plan::object_schema(Where::acceptance));
}

/// What every call that begins a run may say.
std::string run_properties() {
  return fmt::format(
      R"("concurrency": {{"type": "integer", "minimum": 1, "description": "How many run at )"
      R"(once; 4, or what the settings say, if left out"}}, )"
      R"("retry": {}, "throttle": {}, )"
      R"("detach": {{"type": "boolean", "description": "Answer as soon as the run has begun; it )"
      R"(goes on by itself"}}, )"
      R"("onCallerGone": {{"enum": ["stop", "continue"], "description": "What becomes of the )"
      R"(run when this session ends before it does"}})",
      plan::object_schema(Where::retry), plan::object_schema(Where::throttle));
}

constexpr std::string_view provenance =
    R"("parentBatchId": {"type": "string", "description": "The run that this one repeats"}, )"
    R"("rerunOfJobIds": {"type": "array", "items": {"type": "string"}})";

std::string job_schema() {
  return object_of(R"("name", "prompt")",
                   fmt::format("{}, {}", job_properties(), run_properties()));
}

std::string jobs_schema() {
  return object_of(
      R"("jobs")",
      fmt::format(
          R"("jobs": {{"type": "array", "minItems": 1, "maxItems": {}, "items": {}}}, {}, )"
          R"("acceptanceDefaults": {}, {})",
          guards::jobs_max,
          object_of(
              R"("name", "prompt")",
              R"("id": {"type": "string", "description": "Unique in the call; t001, t002, … if )"
              R"(left out"}, )" +
                  job_properties()),
          run_properties(), plan::object_schema(Where::acceptance), provenance));
}

std::string jobs_plan_schema() {
  const std::string row = object_of(
      R"("id")",
      R"("id": {"type": "string"}, "name": {"type": "string"}, "cwd": {"type": "string"}, )"
      R"("timeoutMs": {"type": "number"}, )"
      R"("vars": {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, )"
      R"({"type": "array", "items": {"type": "string"}}]}})");
  return object_of(
      R"("matrix", "promptTemplate")",
      fmt::format(
          R"("batchName": {{"type": "string"}}, "matrix": {{"type": "array", "minItems": 1, )"
          R"("maxItems": {}, "items": {}, "description": "One row for each job"}}, )"
          R"("promptTemplate": {{"type": "string", "description": "{{{{id}}}} and every )"
          R"(variable of the row are put in"}}, )"
          R"("nameTemplate": {{"type": "string"}}, "cwdTemplate": {{"type": "string"}}, )"
          R"("timeoutMs": {{"type": "number"}}, )"
          R"("acceptanceTemplate": {}, "acceptanceDefaults": {}, )"
          R"("metadataTemplate": {{"type": "object", "additionalProperties": {{"type": )"
          R"("string"}}}}, "synthesis": {}, {}, {})",
          guards::jobs_max, row, plan::object_schema(Where::acceptance),
          plan::object_schema(Where::acceptance), plan::object_schema(Where::synthesis),
          run_properties(), provenance));
}

std::string runs_schema() {
  return object_of(
      "", R"("limit": {"type": "integer", "minimum": 1, "description": "10 if left out"}, )"
          R"("failed": {"type": "boolean", "description": "Only runs that failed or were )"
          R"(interrupted"})");
}

std::string show_schema() {
  return object_of(
      "",
      R"("run": {"type": "string", "description": "A run, RUN/JOB or RUN/JOB/ATTEMPT; the last )"
      R"(run if left out"})");
}

// ---- Reading -----------------------------------------------------------------------------------

Result<std::vector<std::string>> runs_command(JsonView arguments) {
  constexpr std::array<std::string_view, 2> keys = {"limit", "failed"};
  PIEVT_TRY(guards::check_keys(arguments, "runs", keys));
  constexpr std::int64_t limit_usual = 10, limit_max = 1000;
  std::int64_t limit = limit_usual;
  if (const auto asked = arguments.find("limit")) {
    const auto whole = asked->kind() == JsonKind::number ? asked->whole_number() : std::nullopt;
    if (!whole || *whole < 1 || *whole > limit_max)
      return Error{Errc::invalid, "\"limit\" must be a whole number from 1 to 1000"};
    limit = *whole;
  }
  std::vector<std::string> words{"runs", "-o", "json", "--limit", fmt::format("{}", limit)};
  if (const auto failed = arguments.find("failed");
      failed && failed->kind() == JsonKind::boolean && failed->boolean())
    words.emplace_back("--failed");
  return words;
}

Result<std::vector<std::string>> show_command(JsonView arguments) {
  constexpr std::array<std::string_view, 1> keys = {"run"};
  PIEVT_TRY(guards::check_keys(arguments, "show", keys));
  std::string run = "last";
  if (const auto asked = arguments.find("run")) {
    if (asked->kind() != JsonKind::string || asked->string().empty() ||
        asked->string().starts_with('-'))
      return Error{Errc::invalid, "\"run\" must name a run, e.g. \"last\" or an id"};
    run = asked->string();
  }
  return std::vector<std::string>{"show", run, "-o", "json"};
}

// ---- The table ---------------------------------------------------------------------------------

constexpr std::array table = {
    AgentTool{"job", "Job",
              "Runs exactly one supervised worker: a pi of its own, in the background of this "
              "session, whose work is recorded and checked. Use it for one piece of work that "
              "needs a context of its own. The worker sees only its prompt and the files, cannot "
              "start workers, and ends with a message that comes back here.",
              job_schema, plan_of_job},
    AgentTool{"jobs", "Jobs",
              "Runs a few supervised workers side by side: at most 4 jobs, each with a prompt of "
              "its own. Use jobs_plan instead when the same task is done over many things, and job "
              "for a single one.",
              jobs_schema, plan_of_jobs},
    AgentTool{"jobs_plan", "Jobs plan",
              "Runs the same task over many things: one supervised worker for each row of a small "
              "matrix, its prompt made from a template with {{id}} and the row's variables. At "
              "most 100 rows. Keep the call short; workers can read files.",
              jobs_plan_schema, plan_of_jobs_plan},
    AgentTool{"runs", "Runs",
              "Lists the recorded runs of this project, newest first: how they ended, their cost "
              "and time. Changes nothing.",
              runs_schema, nullptr, runs_command},
    AgentTool{"show", "Show a run",
              "Shows how a recorded run, job or attempt is or was: status, gates with what each "
              "check saw, attempts, cost. Changes nothing.",
              show_schema, nullptr, show_command},
    AgentTool{
        "job_report", "Job report",
        "Hands in a structured report of this job: what was made and what shows it. Optional: "
        "the last message is what counts, but a report of status blocked or error ends the "
        "job as that.",
        job_report_schema, nullptr, nullptr, report_of},
};

}  // namespace

std::span<const AgentTool> agent_tools() {
  return table;
}

Result<const AgentTool*> find_agent_tool(std::string_view name) {
  std::vector<std::string_view> names;
  for (const AgentTool& tool : table) {
    if (tool.name == name) return &tool;
    names.push_back(tool.name);
  }
  const std::string_view near = plan::nearest(name, names);
  return Error{Errc::not_found,
               fmt::format("there is no agent tool {}{}", plan::shown(name),
                           near.empty() ? fmt::format("; there are {}", fmt::join(names, ", "))
                                        : fmt::format("; did you mean \"{}\"?", near))};
}

std::string agent_tools_json() {
  std::string rows;
  for (const AgentTool& tool : table)
    rows += fmt::format(R"({}{{"name":{},"title":{},"description":{},"begins_run":{},"worker":{},)"
                        R"("parameters":{}}})",
                        rows.empty() ? "" : ",", json_text(tool.name), json_text(tool.title),
                        json_text(tool.description), tool.begins_run(), tool.is_for_workers(),
                        tool.parameters());
  return "{\"tools\":[" + rows + "]}";
}

Result<CallOptions> call_options(JsonView arguments) {
  CallOptions options;
  if (const auto detach = arguments.find("detach")) {
    if (detach->kind() != JsonKind::boolean)
      return Error{Errc::invalid, "\"detach\" must be true or false"};
    options.detach = detach->boolean();
  }
  if (const auto gone = arguments.find("onCallerGone")) {
    const std::string_view word =
        gone->kind() == JsonKind::string ? gone->string() : std::string_view();
    if (word != "stop" && word != "continue")
      return Error{Errc::invalid, "\"onCallerGone\" must be \"stop\" or \"continue\""};
    options.stop_when_gone = word == "stop";
  }
  return options;
}

}  // namespace pievt::tools
