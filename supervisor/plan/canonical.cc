// See canonical.h. Keys are written in byte order by hand; a test checks it.
#include "supervisor/plan/canonical.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace pievt::plan {
namespace {

/// ContractList by the byte order of their names.
constexpr std::array<std::size_t, contract_lists> sorted_lists = [] {
  using enum ContractList;
  std::array<std::size_t, contract_lists> order{};
  std::size_t n = 0;
  for (const ContractList list :
       {allowed_write_paths, forbidden_final, forbidden_worker_log, forbidden_paths,
        forbidden_raw_output, forbidden_report, forbidden_write_paths, required_final,
        required_worker_log, required_raw_output, required_report})
    order[n++] = static_cast<std::size_t>(list);
  return order;
}();

bool asks_for_more(Contract contract) {
  contract.asked = Contract::Asked::no;
  return contract != Contract{};
}

void append_text(std::string& out, std::string_view value) {
  out += '"';
  while (!value.empty()) {
    const auto special = std::ranges::find_if(value, [](char c) {
      return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
    });
    const auto plain = static_cast<std::size_t>(special - value.begin());
    out += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) break;
    if (value[0] == '"' || value[0] == '\\')
      (out += '\\') += value[0];
    else
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(value[0]));
    value.remove_prefix(1);
  }
  out += '"';
}

/// Appends to one text, because a plan may be 256 MiB and should not be copied for each bracket.
class Writer {
 public:
  std::string take() { return std::move(out_); }

  void plan(const Plan& plan) {
    raw("{");
    if (plan.budget != Budget{}) budget(plan.budget);
    raw(R"("concurrency":)");
    raw(fmt::format("{}", plan.concurrency.value_or(limits::concurrency_default)));
    raw(R"(,"jobs":)");
    list(plan.jobs, [&](const JobSpec& spec) { job(spec); });
    raw(R"(,"kind":)");
    text(name_of(plan.kind));
    raw(R"(,"name":)");
    text(plan.name);
    raw(R"(,"parentRun":)");
    text_or_null(plan.parent_run);
    raw(R"(,"rerunOfJobs":)");
    list(plan.rerun_of_jobs, [&](const std::string& id) { text(id); });
    raw(R"(,"synthesis":)");
    synthesis(plan.synthesis);
    raw(R"(,"throttle":)");
    throttle(plan.throttle);
    raw("}");
  }

 private:
  void raw(std::string_view json) { out_ += json; }

  void text(std::string_view value) { append_text(out_, value); }

  void text_or_null(const std::optional<std::string>& value) {
    if (value)
      text(*value);
    else
      raw("null");
  }

  template <class Number>
  void number_or_null(const std::optional<Number>& number) {
    raw(number ? fmt::format("{}", *number) : "null");
  }

  template <class Items, class Write>
  void list(const Items& items, Write write) {
    raw("[");
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) raw(",");
      write(item);
    }
    raw("]");
  }

  template <class Items, class Write>
  void object(const Items& items, Write write) {
    raw("{");
    bool first = true;
    for (const auto& [key, value] : items) {
      if (!std::exchange(first, false)) raw(",");
      text(key);
      raw(":");
      write(value);
    }
    raw("}");
  }

  /// `{"name":"value"}`
  void single(std::string_view name, std::string_view value) {
    raw("{");
    text(name);
    raw(":");
    text(value);
    raw("}");
  }

  void job(const JobSpec& spec) {
    raw("{");
    if (asks_for_more(spec.contract)) acceptance(spec.contract);
    if (spec.budget != Budget{}) budget(spec.budget);
    raw(R"("context":)");
    list(spec.context, [&](const ContextFile& file) { context(file); });
    raw(R"(,"cwd":)");
    text_or_null(spec.cwd);
    raw(R"(,"dependsOn":)");
    list(spec.depends_on, [&](const Dependency& on) {
      raw(R"({"job":)");
      text(on.job);
      raw(fmt::format(R"(,"when":"{}"}})", name_of(on.when)));
    });
    raw(R"(,"env":)");
    environment(spec.env);
    raw(R"(,"id":)");
    text(spec.id);
    if (spec.isolation != Isolation::shared) isolation(spec);
    raw(R"(,"metadata":)");
    object(spec.metadata, [&](const std::string& value) { text(value); });
    raw(R"(,"model":)");
    text_or_null(spec.model);
    raw(R"(,"name":)");
    text(spec.name);
    raw(fmt::format(R"(,"priority":{},"prompt":)", spec.priority));
    list(spec.prompt, [&](const auto& piece) {
      if (const auto* final = std::get_if<FinalOf>(&piece))
        single("final", final->job);
      else
        text(std::get<std::string>(piece));
    });
    policies(spec);
  }

  /// Only where a contract asks for more than paths, so that plans that were written before there
  /// was more keep their form.
  void acceptance(const Contract& contract) {
    raw(fmt::format(R"("acceptance":{{"auditOnly":{},"lists":{{)", contract.audit_only));
    bool first = true;
    for (std::size_t i : sorted_lists) {
      if (!std::exchange(first, false)) raw(",");
      text(name_of(static_cast<ContractList>(i)));
      raw(":");
      list(contract.lists[i], [&](const std::string& entry) { text(entry); });
    }
    raw("}");
    if (!contract.commands.empty()) commands(contract.commands);
    raw(fmt::format(R"(,"minReportSummaryChars":{},"minWorkerLogBytes":{},)"
                    R"("requireDeliverablesEvidence":{}}},)",
                    contract.min_report_summary_chars, contract.min_worker_log_bytes,
                    contract.require_deliverables_evidence));
  }

  void budget(const Budget& budget) {
    raw(fmt::format(R"("budget":{{"costNanodollars":{},"retries":{},"timeMs":{},"tokens":{}}},)",
                    budget.cost_nanodollars, budget.retries, budget.wall_ms, budget.tokens));
  }

  /// Only where it is not the default, for the same reason.
  void silence(const Silence& silence) {
    raw(fmt::format(R"(,"silence":{{"lingeringMs":{},"providerMs":{},"startingMs":{},)"
                    R"("thinkingMs":{},"toolMs":{}}})",
                    silence.lingering_ms, silence.provider_ms, silence.starting_ms,
                    silence.thinking_ms, silence.tool_ms));
  }

  void commands(const std::vector<CommandCheck>& all) {
    raw(R"(,"command":)");
    list(all, [&](const CommandCheck& command) {
      raw(R"({"cwd":)");
      text(command.cwd);
      raw(R"(,"env":)");
      environment(command.env);
      raw(fmt::format(R"(,"expectExit":{},"run":)", command.expect_exit));
      if (command.argv.empty())
        text(command.shell);
      else
        list(command.argv, [&](const std::string& word) { text(word); });
      raw(fmt::format(R"(,"timeoutMs":{}}})", command.timeout_ms));
    });
  }

  /// Only of a worktree, for the same reason.
  void isolation(const JobSpec& spec) {
    raw(R"(,"carry":)");
    list(spec.carry, [&](const CarriedPath& carried) {
      raw(carried.how == CarriedPath::How::link ? R"({"how":"link","path":)" : R"({"path":)");
      text(carried.path);
      raw("}");
    });
    raw(fmt::format(R"(,"isolation":"{}")", name_of(spec.isolation)));
  }

  void environment(const std::map<std::string, std::variant<std::string, FromEnv>>& env) {
    object(env, [&](const auto& value) {
      if (const auto* from = std::get_if<FromEnv>(&value))
        single("fromEnv", from->name);
      else
        text(std::get<std::string>(value));
    });
  }

  void context(const ContextFile& file) {
    raw(fmt::format(R"({{"bytes":{},"path":)", file.text ? file.text->size() : 0));
    text(file.path);
    raw(R"(,"sha256":)");
    text_or_null(file.sha256.empty() ? std::nullopt : std::optional(file.sha256));
    raw("}");
  }

  /// The rest of a job, from "requiredPaths".
  void policies(const JobSpec& spec) {
    raw(R"(,"requiredPaths":)");
    list(spec.required_paths, [&](const RequiredPath& path) {
      raw("{");
      patterns("forbiddenRegex", path.forbidden_regex);
      raw(fmt::format(R"("minBytes":{},"path":)", path.min_bytes));
      text(path.path);
      if (!path.required_regex.empty()) raw(R"(,"requiredRegex":)");
      if (!path.required_regex.empty())
        list(path.required_regex, [&](const std::string& pattern) { text(pattern); });
      raw(fmt::format(R"(,"type":"{}"}})", name_of(path.type)));
    });
    const RetryPolicy& retry = spec.retry;
    raw(fmt::format(R"(,"retry":{{"initialMs":{},"jitter":{},"maxAttempts":{},"maxMs":{},)"
                    R"("multiplier":{},"retryOn":)",
                    retry.initial_ms, retry.jitter, retry.max_attempts, retry.max_ms,
                    retry.multiplier));
    list(retry.retry_on, [&](RetryOn kind) { text(name_of(kind)); });
    if (retry.session != RetrySession::fresh) raw(R"(,"session":"resume")");
    if (retry.tree != RetryTree::clean) raw(R"(,"tree":"previous")");
    raw("}");
    if (spec.silence != Silence{}) silence(spec.silence);
    raw(R"(,"thinking":)");
    if (spec.thinking)
      text(name_of(*spec.thinking));
    else
      raw("null");
    raw(fmt::format(R"(,"timeoutMs":{},"tools":)", spec.timeout_ms));
    if (spec.tools)
      list(*spec.tools, [&](const std::string& tool) { text(tool); });
    else
      raw("null");
    if (spec.wave != 0) raw(fmt::format(R"(,"wave":{})", spec.wave));
    raw("}");
  }

  void patterns(std::string_view key, const std::vector<std::string>& patterns) {
    if (patterns.empty()) return;
    text(key);
    raw(":");
    list(patterns, [&](const std::string& pattern) { text(pattern); });
    raw(",");
  }

  void throttle(const std::optional<Throttle>& policy) {
    if (!policy) return raw("null");
    raw(fmt::format(R"({{"enabled":{},"maxConcurrency":)", policy->enabled));
    number_or_null(policy->max_concurrency);
    raw(R"(,"minConcurrency":)");
    number_or_null(policy->min_concurrency);
    raw(R"(,"transientFailureThreshold":)");
    number_or_null(policy->transient_failure_threshold);
    raw(R"(,"windowSize":)");
    number_or_null(policy->window_size);
    raw("}");
  }

  void synthesis(const std::optional<Synthesis>& wanted) {
    if (!wanted) return raw("null");
    raw(R"({"instructions":)");
    text_or_null(wanted->instructions);
    raw(fmt::format(R"(,"mode":"{}"}})", name_of(wanted->mode)));
  }

  std::string out_;
};

}  // namespace

std::string canonical_json(const Plan& plan) {
  Writer writer;
  writer.plan(plan);
  return writer.take();
}

std::string json_text(std::string_view text) {
  std::string out;
  append_text(out, text);
  return out;
}

}  // namespace pievt::plan
