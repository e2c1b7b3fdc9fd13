// See canonical.h. Keys are written in byte order by hand; a test checks it.
#include "supervisor/plan/canonical.h"

#include <iterator>

#include <fmt/format.h>

namespace pievt::plan {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + ']';
}

template <class Items, class Write>
std::string object(const Items& items, Write write) {
  std::string out = "{";
  for (const auto& [key, value] : items) {
    if (out.size() > 1) out += ',';
    out += quoted(key) + ':' + write(value);
  }
  return out + '}';
}

std::string or_null(const std::optional<std::string>& text) {
  return text ? quoted(*text) : "null";
}

template <class Number>
std::string or_null(const std::optional<Number>& number) {
  return number ? fmt::format("{}", *number) : "null";
}

std::string piece(const std::variant<std::string, FinalOf>& piece) {
  if (const auto* text = std::get_if<std::string>(&piece)) return quoted(*text);
  return fmt::format(R"({{"final":{}}})", quoted(std::get<FinalOf>(piece).job));
}

std::string context(const ContextFile& file) {
  return fmt::format(R"({{"bytes":{},"path":{},"sha256":{}}})", file.text ? file.text->size() : 0,
                     quoted(file.path), file.sha256.empty() ? "null" : quoted(file.sha256));
}

std::string env_value(const std::variant<std::string, FromEnv>& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  return fmt::format(R"({{"fromEnv":{}}})", quoted(std::get<FromEnv>(value).name));
}

std::string dependency(const Dependency& on) {
  return fmt::format(R"({{"job":{},"when":"{}"}})", quoted(on.job), name_of(on.when));
}

std::string required_path(const RequiredPath& path) {
  return fmt::format(R"({{"minBytes":{},"path":{},"type":"{}"}})", path.min_bytes,
                     quoted(path.path), name_of(path.type));
}

std::string retry(const RetryPolicy& policy) {
  const auto name = [](RetryOn kind) { return fmt::format("\"{}\"", name_of(kind)); };
  return fmt::format(
      R"({{"initialMs":{},"jitter":{},"maxAttempts":{},"maxMs":{},"multiplier":{},"retryOn":{}}})",
      policy.initial_ms, policy.jitter, policy.max_attempts, policy.max_ms, policy.multiplier,
      list(policy.retry_on, name));
}

std::string job(const JobSpec& spec) {
  const auto text = [](const std::string& value) { return quoted(value); };
  std::string out = "{";
  out += R"("context":)" + list(spec.context, context);
  out += R"(,"cwd":)" + or_null(spec.cwd);
  out += R"(,"dependsOn":)" + list(spec.depends_on, dependency);
  out += R"(,"env":)" + object(spec.env, env_value);
  out += R"(,"id":)" + quoted(spec.id);
  out += R"(,"metadata":)" + object(spec.metadata, text);
  out += R"(,"model":)" + or_null(spec.model);
  out += R"(,"name":)" + quoted(spec.name);
  out += R"(,"priority":)" + fmt::format("{}", spec.priority);
  out += R"(,"prompt":)" + list(spec.prompt, piece);
  out += R"(,"requiredPaths":)" + list(spec.required_paths, required_path);
  out += R"(,"retry":)" + retry(spec.retry);
  out += R"(,"thinking":)";
  out += spec.thinking ? fmt::format("\"{}\"", name_of(*spec.thinking)) : "null";
  out += R"(,"timeoutMs":)" + fmt::format("{}", spec.timeout_ms);
  out += R"(,"tools":)" + (spec.tools ? list(*spec.tools, text) : std::string("null"));
  return out + '}';
}

std::string throttle(const std::optional<Throttle>& policy) {
  if (!policy) return "null";
  return fmt::format(R"({{"enabled":{},"maxConcurrency":{},"minConcurrency":{},)"
                     R"("transientFailureThreshold":{},"windowSize":{}}})",
                     policy->enabled, or_null(policy->max_concurrency),
                     or_null(policy->min_concurrency), or_null(policy->transient_failure_threshold),
                     or_null(policy->window_size));
}

std::string synthesis(const std::optional<Synthesis>& wanted) {
  if (!wanted) return "null";
  return fmt::format(R"({{"instructions":{},"mode":"{}"}})", or_null(wanted->instructions),
                     name_of(wanted->mode));
}

}  // namespace

std::string canonical_json(const Plan& plan) {
  const auto text = [](const std::string& value) { return quoted(value); };
  std::string out = "{";
  out += R"("concurrency":)" +
         fmt::format("{}", plan.concurrency.value_or(limits::concurrency_default));
  out += R"(,"jobs":)" + list(plan.jobs, job);
  out += R"(,"kind":)" + quoted(name_of(plan.kind));
  out += R"(,"name":)" + quoted(plan.name);
  out += R"(,"parentRun":)" + or_null(plan.parent_run);
  out += R"(,"rerunOfJobs":)" + list(plan.rerun_of_jobs, text);
  out += R"(,"synthesis":)" + synthesis(plan.synthesis);
  out += R"(,"throttle":)" + throttle(plan.throttle);
  return out + '}';
}

}  // namespace pievt::plan
