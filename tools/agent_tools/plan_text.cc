// See plan_text.h.
#include "tools/agent_tools/plan_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "supervisor/plan/canonical.h"
#include "supervisor/plan/text.h"
#include "tools/agent_tools/guards.h"

namespace pievt::tools {
namespace {

using plan::json_text;
using plan::JsonKind;
using plan::JsonView;

// What every one of them takes besides.
constexpr std::array<std::string_view, 2> of_call = {"detach", "onCallerGone"};

constexpr std::array<std::string_view, 7> of_one_job = {
    "name", "prompt", "cwd", "timeoutMs", "acceptance", "metadata", "model"};

constexpr std::array<std::string_view, 13> job_keys = {
    "name",        "prompt", "cwd",      "timeoutMs", "acceptance", "metadata",    "model",
    "concurrency", "retry",  "throttle", "thinking",  "detach",     "onCallerGone"};

constexpr std::array<std::string_view, 9> jobs_keys = {
    "jobs",          "concurrency",   "retry",  "throttle",    "acceptanceDefaults",
    "parentBatchId", "rerunOfJobIds", "detach", "onCallerGone"};

constexpr std::array<std::string_view, 17> plan_keys = {
    "batchName",   "concurrency",        "matrix",           "promptTemplate", "nameTemplate",
    "cwdTemplate", "acceptanceTemplate", "metadataTemplate", "timeoutMs",      "retry",
    "throttle",    "acceptanceDefaults", "synthesis",        "parentBatchId",  "rerunOfJobIds",
    "detach",      "onCallerGone"};

// A JSON object that grows by members.
class Object {
 public:
  void add(std::string_view key, std::string_view json) {
    body_ += fmt::format("{}{}: {}", body_.empty() ? "" : ", ", json_text(key), json);
  }
  void copy(JsonView from, std::span<const std::string_view> keys) {
    for (const JsonView member : from)
      if (std::ranges::find(keys, member.key()) != keys.end()) add(member.key(), json_of(member));
  }
  std::string take() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

// The caller's own model and thinking, for jobs that name none.
void add_defaults(Object& plan, const Caller& caller) {
  Object defaults;
  if (!caller.model.empty()) defaults.add("model", json_text(caller.model));
  if (!caller.thinking.empty()) defaults.add("thinking", json_text(caller.thinking));
  if (const std::string json = defaults.take(); json != "{}") plan.add("defaults", json);
}

bool is_of_call(std::string_view key) {
  return std::ranges::find(of_call, key) != of_call.end();
}

// Members of the call that a plan has under the same name.
void copy_plan_members(Object& plan, JsonView arguments) {
  for (const JsonView member : arguments)
    if (!is_of_call(member.key())) plan.add(member.key(), json_of(member));
}

}  // namespace

Result<std::string> plan_of_job(JsonView arguments, const Caller& caller) {
  PIEVT_TRY(guards::check_keys(arguments, "job", job_keys));
  for (const std::string_view key : {"name", "prompt"}) {
    const auto found = arguments.find(key);
    if (!found || found->kind() != JsonKind::string || plan::is_blank(found->string()))
      return Error{Errc::invalid,
                   fmt::format("\"{}\" of job must be a text that is not blank", key)};
  }
  Object job;
  job.add("id", json_text("t001"));
  job.copy(arguments, of_one_job);
  if (const auto thinking = arguments.find("thinking")) job.add("thinking", json_of(*thinking));
  Object plan;
  plan.add("name", json_of(*arguments.find("name")));
  plan.add("concurrency", "1");
  constexpr std::array<std::string_view, 2> of_plan = {"retry", "throttle"};
  plan.copy(arguments, of_plan);
  add_defaults(plan, caller);
  plan.add("jobs", "[" + job.take() + "]");
  return plan.take();
}

Result<std::string> plan_of_jobs(JsonView arguments, const Caller& caller) {
  PIEVT_TRY(guards::check_keys(arguments, "jobs", jobs_keys));
  PIEVT_TRY(guards::check_jobs(arguments));
  PIEVT_TRY(guards::check_fan_out(arguments));
  PIEVT_TRY(guards::check_inline_size(arguments));
  Object plan;
  plan.add("name", json_text("jobs"));
  add_defaults(plan, caller);
  copy_plan_members(plan, arguments);
  return plan.take();
}

Result<std::string> plan_of_jobs_plan(JsonView arguments, const Caller& caller) {
  PIEVT_TRY(guards::check_keys(arguments, "jobs_plan", plan_keys));
  PIEVT_TRY(guards::check_plan_size(arguments, json_of(arguments).size()));
  Object plan;
  if (!arguments.find("batchName")) plan.add("name", json_text("jobs_plan"));
  add_defaults(plan, caller);
  copy_plan_members(plan, arguments);
  return plan.take();
}

std::string json_of(JsonView value) {
  switch (value.kind()) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return value.boolean() ? "true" : "false";
    case JsonKind::number:
      if (const auto whole = value.whole_number()) return fmt::format("{}", *whole);
      return fmt::format("{}", value.number());
    case JsonKind::string:
      return json_text(value.string());
    case JsonKind::array: {
      std::string out;
      for (const JsonView entry : value) out += (out.empty() ? "[" : ",") + json_of(entry);
      return out.empty() ? "[]" : out + "]";
    }
    case JsonKind::object: {
      std::string out;
      for (const JsonView member : value)
        out += fmt::format("{}{}:{}", out.empty() ? "{" : ",", json_text(member.key()),
                           json_of(member));
      return out.empty() ? "{}" : out + "}";
    }
  }
  return "null";
}

}  // namespace pievt::tools
