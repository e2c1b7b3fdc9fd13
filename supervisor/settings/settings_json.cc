// See settings_json.h.
#include "supervisor/settings/settings_json.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "supervisor/plan/canonical.h"
#include "supervisor/plan/key_schema.h"
#include "supervisor/settings/config_keys.h"

namespace pievt::settings {
namespace {

using plan::json_text;

// An object whose members may all be absent.
class Object {
 public:
  void raw(std::string_view key, std::string_view json) {
    body_ += fmt::format("{}{}:{}", body_.empty() ? "" : ",", json_text(key), json);
  }
  template <class Number>
  void number(std::string_view key, const std::optional<Number>& number) {
    if (number) raw(key, fmt::format("{}", *number));
  }
  void duration(std::string_view key, const std::optional<std::uint64_t>& ms) {
    if (ms) raw(key, fmt::format("\"{}ms\"", *ms));
  }
  void flag(std::string_view key, bool yes) { raw(key, yes ? "true" : "false"); }
  void list(std::string_view key, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    std::string json;
    for (const std::string& text : texts) json += (json.empty() ? "[" : ",") + json_text(text);
    raw(key, json + "]");
  }
  void object(std::string_view key, const Object& inner) {
    if (!inner.body_.empty()) raw(key, inner.take());
  }
  std::string take() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

Object retry_object(const plan::WrittenRetry& retry) {
  Object backoff;
  backoff.number("initial", retry.initial_ms);
  backoff.number("max", retry.max_ms);
  backoff.number("multiplier", retry.multiplier);
  if (retry.jitter) backoff.flag("jitter", *retry.jitter);
  Object out;
  out.number("maxAttempts", retry.max_attempts);
  out.object("backoffMs", backoff);
  if (retry.retry_on) {
    std::vector<std::string> kinds;
    for (const plan::RetryOn kind : *retry.retry_on) kinds.emplace_back(plan::name_of(kind));
    out.list("retryOn", kinds);
  }
  if (retry.session) out.raw("session", json_text(plan::name_of(*retry.session)));
  if (retry.tree) out.raw("tree", json_text(plan::name_of(*retry.tree)));
  return out;
}

Object throttle_object(const plan::Throttle& throttle) {
  Object out;
  out.flag("enabled", throttle.enabled);
  out.number("minConcurrency", throttle.min_concurrency);
  out.number("maxConcurrency", throttle.max_concurrency);
  out.number("transientFailureThreshold", throttle.transient_failure_threshold);
  out.number("windowSize", throttle.window_size);
  return out;
}

Object budget_object(const plan::WrittenBudget& budget) {
  Object out;
  out.number("tokens", budget.tokens);
  if (budget.cost_nanodollars)
    out.raw("cost", fmt::format("{}", static_cast<double>(*budget.cost_nanodollars) / 1e9));
  out.duration("time", budget.wall_ms);
  out.number("retries", budget.retries);
  return out;
}

Object silence_object(const plan::WrittenSilence& silence) {
  Object out;
  out.duration("starting", silence.starting_ms);
  out.duration("thinking", silence.thinking_ms);
  out.duration("tool", silence.tool_ms);
  out.duration("provider", silence.provider_ms);
  out.duration("lingering", silence.lingering_ms);
  return out;
}

Object hook_object(const std::optional<Hook>& hook) {
  Object out;
  if (!hook) return out;
  out.list("run", {hook->run.front()});
  out.duration("timeout", hook->timeout_ms);
  return out;
}

// ---- The schema --------------------------------------------------------------------------------

std::string object_schema(const std::vector<ConfigObject>& all, const ConfigObject& object,
                          std::string_view indent);

std::string value_schema(const std::vector<ConfigObject>& all, const ConfigObject& owner,
                         const plan::KeyName& key, const std::string& indent) {
  if (const auto known = plan::schema_of(key.holds); !known.empty()) return std::string(known);
  const bool hook = key.holds == "hook";
  const std::string_view name = hook ? std::string_view("hook") : key.name;
  const auto inner = std::ranges::find_if(all, [&](const ConfigObject& object) {
    return object.name == name && object.parent == owner.name;
  });
  if (inner == all.end()) return R"("description": "?")";
  const std::string schema = object_schema(all, *inner, indent);
  if (!hook) return schema;
  return fmt::format(
      "\"anyOf\": [{{\"type\": \"array\", \"items\": {{\"type\": \"string\"}}, \"minItems\": 1}}, "
      "{{{}}}]",
      schema);
}

std::string object_schema(const std::vector<ConfigObject>& all, const ConfigObject& object,
                          std::string_view indent) {
  const std::string deeper = std::string(indent) + "  ";
  std::string out =
      fmt::format("\"type\": \"object\", \"additionalProperties\": false, \"properties\": {{");
  bool first = true;
  for (const plan::KeyName& key : object.keys) {
    out += fmt::format("{}\n{}{}: {{\"description\": {}, {}}}", first ? "" : ",", deeper,
                       json_text(key.name), json_text(key.meaning),
                       value_schema(all, object, key, deeper));
    first = false;
  }
  return out + fmt::format("\n{}}}", indent);
}

std::string path_of(const std::vector<ConfigObject>& all, const ConfigObject& object) {
  if (object.parent.empty()) return std::string(object.name);
  const auto parent = std::ranges::find(all, object.parent, &ConfigObject::name);
  return fmt::format("{}.{}", parent == all.end() ? object.parent : path_of(all, *parent),
                     object.name == "hook" ? "<hook>" : object.name);
}

}  // namespace

std::string settings_json(const Settings& all) {
  Object store, hooks, environment, secrets, workers, root;
  store.number("concurrency", all.store_concurrency);
  if (all.child_memory_bytes)
    store.raw("childMemoryMiB", fmt::format("{}", *all.child_memory_bytes >> 20));
  hooks.object("onFinish", hook_object(all.on_finish));
  hooks.object("onAttention", hook_object(all.on_attention));
  environment.list("allow", all.environment_allow);
  environment.list("deny", all.environment_deny);
  secrets.flag("report", all.report_secrets);
  secrets.flag("mask", all.mask_secrets);
  workers.list("extensions", all.worker_extensions);
  workers.raw("onCallerGone", all.on_caller_gone == CallerGone::stop ? "\"stop\"" : "\"continue\"");
  if (all.second_attempt) workers.raw("secondAttempt", json_text(*all.second_attempt));

  root.number("concurrency", all.concurrency);
  root.duration("timeout", all.timeout_ms);
  root.object("retry", retry_object(all.retry));
  if (all.throttle) root.object("throttle", throttle_object(*all.throttle));
  if (all.budget) root.object("budget", budget_object(*all.budget));
  root.object("silence", silence_object(all.silence));
  root.object("store", store);
  root.object("hooks", hooks);
  root.object("environment", environment);
  root.object("secrets", secrets);
  root.object("workers", workers);
  return root.take();
}

std::string settings_schema() {
  const auto all = config_objects();
  return fmt::format(
      "{{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n \"title\": \"The "
      "settings "
      "of a pievt store (config.json)\",\n {}}}\n",
      object_schema(all, all.front(), " "));
}

std::string settings_markdown() {
  const auto all = config_objects();
  std::string out;
  for (const ConfigObject& object : all) {
    const std::string path = path_of(all, object);
    out += fmt::format("{}### {}\n\n| key | holds | meaning |\n|---|---|---|\n",
                       out.empty() ? "" : "\n", path.empty() ? "The file" : "`" + path + "`");
    for (const plan::KeyName& key : object.keys)
      out += fmt::format("| `{}` | {} | {} |\n", key.name, key.holds, key.meaning);
  }
  return out;
}

}  // namespace pievt::settings
