#include "tools/audit/policy.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <simdjson.h>

#include <fmt/format.h>

#include "supervisor/check/path_pattern.h"
#include "supervisor/pi/text.h"
#include "supervisor/pi/worker_report.h"
#include "tools/audit/words.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

using Json = simdjson::dom::element;

Error bad(std::string_view key, std::string_view what) {
  return {Errc::invalid, fmt::format("the policy's \"{}\" {}", key, what)};
}

Result<std::vector<std::string>> texts_of(std::string_view key, const Json& value) {
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return bad(key, "must be a list of texts");
  std::vector<std::string> texts;
  for (const Json entry : list) {
    std::string_view text;
    if (entry.get(text) != simdjson::SUCCESS || text.empty())
      return bad(key, "must be a list of texts");
    texts.emplace_back(text);
  }
  return texts;
}

Result<double> number_of(std::string_view key, const Json& value) {
  double number = 0;
  if (value.get(number) != simdjson::SUCCESS || !(number >= 0) || number > 9e15)
    return bad(key, "must be a number that is not negative");
  return number;
}

Status read_budget(Policy& policy, const Json& value) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return bad("budget", "must be an object");
  for (const auto& [key, entry] : object) {
    const double number = PIEVT_TRY(number_of(key, entry));
    if (key == "dollars") {
      policy.nanodollars = pi::nano_dollars(number);
    } else if (key == "dollarsPerJob") {
      policy.nanodollars_per_job = pi::nano_dollars(number);
    } else if (key == "tokens") {
      policy.tokens = static_cast<std::uint64_t>(number);
    } else {
      return bad(key, "is not known in \"budget\"; there are dollars, dollarsPerJob and tokens");
    }
  }
  return {};
}

Status read_retries(Policy& policy, const Json& value) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return bad("retries", "must be an object");
  for (const auto& [key, entry] : object) {
    const auto number = static_cast<std::uint64_t>(PIEVT_TRY(number_of(key, entry)));
    if (key == "perJob") {
      policy.retries_per_job = number;
    } else if (key == "perRun") {
      policy.retries_per_run = number;
    } else {
      return bad(key, "is not known in \"retries\"; there are perJob and perRun");
    }
  }
  return {};
}

Result<bool> truth_of(std::string_view key, const Json& value) {
  bool truth = false;
  if (value.get(truth) != simdjson::SUCCESS) return bad(key, "must be true or false");
  return truth;
}

Status read_key(Policy& policy, std::string_view key, const Json& value) {
  if (key == "forbiddenPaths") {
    policy.forbidden_paths = PIEVT_TRY(texts_of(key, value));
  } else if (key == "forbiddenCommands") {
    policy.forbidden_commands = PIEVT_TRY(texts_of(key, value));
  } else if (key == "network") {
    policy.network = PIEVT_TRY(texts_of(key, value));
  } else if (key == "budget") {
    return read_budget(policy, value);
  } else if (key == "retries") {
    return read_retries(policy, value);
  } else if (key == "secrets") {
    policy.secrets = PIEVT_TRY(truth_of(key, value));
  } else if (key == "weak") {
    policy.weak = PIEVT_TRY(truth_of(key, value));
  } else {
    return bad(key,
               "is not known; there are forbiddenPaths, forbiddenCommands, network, budget, "
               "retries, secrets and weak");
  }
  return {};
}

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

// `curl` in "a; curl x" and "/usr/bin/curl", not in "curly" or "--curl".
bool has_command(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !is_word_char(text[at - 1]);
    const std::size_t end = at + word.size();
    if (begins && (end == text.size() || !is_word_char(text[end]))) return true;
  }
  return false;
}

// Relative to the job's directory where it lies inside it.
std::string shown(const std::string& path, const std::string& cwd) {
  const std::filesystem::path whole = (std::filesystem::path(cwd) / path).lexically_normal();
  const std::filesystem::path inside = whole.lexically_relative(cwd);
  return inside.empty() || *inside.begin() == ".." ? whole.string() : inside.string();
}

class Judge {
 public:
  Judge(RunReport& report, const Material& material, const Policy& policy,
        const CallText& arguments)
      : report_(report), material_(material), policy_(policy), arguments_(arguments) {}

  void paths() {
    for (const WriteRow& row : report_.writes) {
      const JobState* job = pievt::find_job(material_.run, row.job);
      const std::string cwd =
          job == nullptr || job->declared == nullptr ? material_.run.cwd : job->declared->cwd;
      const std::string path = shown(row.path, cwd);
      for (const std::string& pattern : policy_.forbidden_paths) {
        if (!acceptance::matches(path, pattern)) continue;
        add("forbiddenPaths", fmt::format("{} was {} (\"{}\")", path, row.change, pattern), row.job,
            row.attempt, row.events);
      }
    }
  }

  void commands() {
    if (policy_.forbidden_commands.empty() && policy_.network.empty()) return;
    for (const story::Attempt& attempt : material_.story.attempts) {
      for (const story::ToolCall& call : attempt.tools) {
        if (pi::effect_of(call.tool) != pi::ToolEffect::shell) continue;
        const std::string command = command_of(call);
        for (const std::string& words : policy_.forbidden_commands) {
          if (command.find(words) != std::string::npos)
            add_call("forbiddenCommands", attempt, call, words);
        }
        for (const std::string& word : policy_.network) {
          if (has_command(command, word)) add_call("network", attempt, call, word);
        }
      }
    }
  }

  void budget() {
    const Spent& spent = report_.spent;
    if (policy_.nanodollars && spent.nanodollars > *policy_.nanodollars) {
      add("budget.dollars",
          fmt::format("{} spent, {} allowed", render::money_text(spent.nanodollars),
                      render::money_text(*policy_.nanodollars)),
          0, 0, {});
    }
    if (policy_.tokens && spent.total_tokens > *policy_.tokens) {
      add("budget.tokens",
          fmt::format("{} tokens, {} allowed", spent.total_tokens, *policy_.tokens), 0, 0, {});
    }
    for (const JobRow& row : report_.jobs) {
      if (!policy_.nanodollars_per_job || row.spent.nanodollars <= *policy_.nanodollars_per_job)
        continue;
      add("budget.dollarsPerJob",
          fmt::format("{} spent {}, {} allowed", row.id, render::money_text(row.spent.nanodollars),
                      render::money_text(*policy_.nanodollars_per_job)),
          row.job, 0, {row.first_event, row.last_event});
    }
    const bool asked = policy_.nanodollars || policy_.tokens || policy_.nanodollars_per_job;
    if (asked && spent.unreported > 0) {
      report_.unknown.push_back(
          fmt::format("whether the policy's budget holds with the {} that report no usage",
                      render::plural(spent.unreported, "request")));
    }
  }

  void retries() {
    std::uint64_t all = 0;
    for (const JobRow& row : report_.jobs) {
      const std::uint64_t retries = row.attempts > 1 ? row.attempts - 1 : 0;
      all += retries;
      if (!policy_.retries_per_job || retries <= *policy_.retries_per_job) continue;
      add("retries.perJob",
          fmt::format("{} was tried {} again, {} allowed", row.id, render::plural(retries, "time"),
                      *policy_.retries_per_job),
          row.job, 0, {row.first_event, row.last_event});
    }
    if (policy_.retries_per_run && all > *policy_.retries_per_run) {
      add("retries.perRun", fmt::format("{} retries, {} allowed", all, *policy_.retries_per_run), 0,
          0, {});
    }
  }

  void findings() {
    for (const Secret& secret : report_.secrets) {
      if (!policy_.secrets || secret.masked) continue;
      add("secrets", fmt::format("{}... in {}", secret.prefix, secret.where), secret.job,
          secret.attempt, secret.events);
    }
    for (const Usable& usable : report_.usable) {
      if (!policy_.weak || !usable.accepted) continue;
      for (const Finding& weak : usable.weak)
        add("weak", fmt::format("{}: {}", job_id(report_, usable.job), weak.text), usable.job, 0,
            weak.events);
    }
  }

 private:
  // The subject of a call is cut to a line; what was really run is in its arguments.
  std::string command_of(const story::ToolCall& call) {
    const std::string json = arguments_(call);
    simdjson::dom::object object;
    std::string_view command;
    if (!json.empty() && parser_.parse(json).get(object) == simdjson::SUCCESS &&
        object["command"].get(command) == simdjson::SUCCESS)
      return std::string(command);
    return std::string(call.subject);
  }

  void add(std::string rule, std::string text, std::uint32_t job, std::uint32_t attempt,
           Events events) {
    report_.violations.push_back(
        {std::move(rule), std::move(text), job, attempt, std::move(events)});
  }

  void add_call(std::string rule, const story::Attempt& attempt, const story::ToolCall& call,
                const std::string& words) {
    const std::string who =
        attempt.job == 0 ? "_probe" : std::string(material_.story.jobs[attempt.job - 1].id);
    add(std::move(rule),
        fmt::format("{}/{} ran \"{}\" (\"{}\")", shortened(who, 40), attempt.number,
                    shortened(call.subject, 80), words),
        attempt.job, attempt.number, {call.span.begin.revision});
  }

  RunReport& report_;
  const Material& material_;
  const Policy& policy_;
  const CallText& arguments_;
  simdjson::dom::parser parser_;
};

}  // namespace

Result<Policy> parse_policy(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS)
    return Error{Errc::invalid, "the policy is no JSON object"};
  Policy policy;
  for (const auto& [key, value] : object) PIEVT_TRY(read_key(policy, key, value));
  return policy;
}

void apply_policy(RunReport& report, const Material& material, const Policy& policy,
                  const CallText& arguments) {
  Judge judge(report, material, policy, arguments);
  judge.paths();
  judge.commands();
  judge.budget();
  judge.retries();
  judge.findings();
}

}  // namespace pievt::audit
