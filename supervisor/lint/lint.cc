#include "supervisor/lint/lint.h"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "supervisor/check/regex.h"
#include "supervisor/lint/places.h"
#include "supervisor/lint/zones.h"

namespace pievt::lint {
namespace {

namespace fs = std::filesystem;
using plan::ContractList;
using plan::JobSpec;

constexpr std::size_t findings_max = 1000;

// Every two of them are compared.
constexpr std::size_t zoned_jobs_max = 2000;

class Linter {
 public:
  Linter(const plan::PlanFile& file, const Options& options, const Places& places)
      : plan_(file.plan), options_(options), places_(places) {}

  std::vector<Finding> run() {
    for (const JobSpec& job : plan_.jobs) {
      look_at_patterns(job);
      look_at_paths(job);
      look_at_writes(job);
      look_at_words(job);
      look_at_job(job);
    }
    look_at_splats();
    look_at_zones();
    std::ranges::stable_sort(findings_, {}, [](const Finding& finding) {
      return std::tuple(finding.line, finding.column, finding.severity);
    });
    if (findings_.size() > findings_max) findings_.resize(findings_max);
    return std::move(findings_);
  }

 private:
  // One thing in a template concerns many jobs and is said once.
  void add(Severity severity, std::string_view rule, const std::string& job,
           plan::Source::Position at, std::string sentence) {
    if (!seen_.emplace(at.line, at.column, std::string(rule)).second) return;
    findings_.push_back(
        {severity, std::string(rule), at.line, at.column, job, std::move(sentence)});
  }

  void add_entry(Severity severity, std::string_view rule, const JobSpec& job, std::string_view key,
                 const std::string& text, std::string sentence) {
    add(severity, rule, job.id, places_.entry(job.id, key, text), std::move(sentence));
  }

  static bool is_regex(ContractList list) {
    return list != ContractList::forbidden_paths && list != ContractList::allowed_write_paths &&
           list != ContractList::forbidden_write_paths;
  }

  void look_at_regex(const JobSpec& job, std::string_view key, const std::string& pattern) {
    if (const auto compiled = acceptance::Regex::compile(pattern); !compiled.ok())
      add_entry(
          Severity::error, "bad-regex", job, key, pattern,
          fmt::format("{} holds {}, which is no pattern: {}", key, pattern, compiled.error().what));
  }

  void look_at_patterns(const JobSpec& job) {
    for (std::size_t i = 0; i < plan::contract_lists; ++i) {
      const auto list = static_cast<ContractList>(i);
      if (!is_regex(list)) continue;
      for (const std::string& pattern : job.contract.of(list))
        look_at_regex(job, name_of(list), pattern);
    }
    using enum ContractList;
    for (const auto& [required, forbidden] :
         {std::pair(required_final, forbidden_final),
          std::pair(required_worker_log, forbidden_worker_log),
          std::pair(required_report, forbidden_report),
          std::pair(required_raw_output, forbidden_raw_output)}) {
      for (const std::string& pattern : job.contract.of(required))
        if (std::ranges::count(job.contract.of(forbidden), pattern) > 0)
          add_entry(Severity::error, "contradiction", job, name_of(required), pattern,
                    fmt::format("{} is required and forbidden", pattern));
    }
  }

  void look_at_paths(const JobSpec& job) {
    for (const plan::RequiredPath& required : job.required_paths) {
      const std::string& path = required.path;
      constexpr std::string_view key = "requiredPaths";
      for (const std::string& pattern : required.required_regex) look_at_regex(job, key, pattern);
      for (const std::string& pattern : required.forbidden_regex) look_at_regex(job, key, pattern);
      if (required.type == plan::PathType::glob) {
        if (const std::string why = cannot_match(path); !why.empty())
          add_entry(Severity::error, "cannot-match", job, key, path,
                    fmt::format("{} matches no file: {}", path, why));
      } else if (path.find('*') != std::string::npos) {
        add_entry(Severity::warning, "literal-star", job, key, path,
                  fmt::format("{} is taken as it stands; \"type\": \"glob\" makes \"*\" a pattern",
                              path));
      }
      if (required.type == plan::PathType::file && path.ends_with('/'))
        add_entry(Severity::error, "trailing-slash", job, key, path,
                  fmt::format("{} must be a file and is written as a directory; \"type\": \"dir\" "
                              "asks for one",
                              path));
      for (const std::string& forbidden : job.contract.of(ContractList::forbidden_paths))
        if (fs::path(forbidden).lexically_normal() == fs::path(path).lexically_normal())
          add_entry(Severity::error, "contradiction", job, key, path,
                    fmt::format("{} is required and forbidden", path));
      const std::string name = fs::path(path).filename().string();
      if (name == "job-report.json" || name == "worker.md")
        add_entry(Severity::warning, "supervisor-file", job, key, path,
                  fmt::format("{} is a name of the worker's log and report, which lie elsewhere; "
                              "use minWorkerLogBytes or requiredReportRegex",
                              path));
    }
  }

  void look_at_writes(const JobSpec& job) {
    const auto& allowed = job.contract.of(ContractList::allowed_write_paths);
    const auto& forbidden = job.contract.of(ContractList::forbidden_write_paths);
    for (const auto* list : {&allowed, &forbidden}) {
      const std::string_view key = name_of(list == &allowed ? ContractList::allowed_write_paths
                                                            : ContractList::forbidden_write_paths);
      for (const std::string& pattern : *list) {
        if (const std::string why = cannot_match(pattern); !why.empty())
          add_entry(Severity::error, "cannot-match", job, key, pattern,
                    fmt::format("{} matches no path: {}", pattern, why));
        else if (pattern.find_first_of("?[]{}") != std::string::npos)
          add_entry(Severity::warning, "literal-letters", job, key, pattern,
                    fmt::format("in {} only \"*\" and \"**\" stand for something else; ?, [] and "
                                "{{}} are taken as they stand",
                                pattern));
        else if (is_directory(job, pattern))
          add_entry(Severity::warning, "directory-as-path", job, key, pattern,
                    fmt::format("{} is a directory and covers itself alone; \"{}/\" covers what is "
                                "in it",
                                pattern, pattern));
      }
    }
    for (const std::string& pattern : allowed)
      if (std::ranges::count(forbidden, pattern) > 0)
        add_entry(Severity::error, "contradiction", job, name_of(ContractList::allowed_write_paths),
                  pattern, fmt::format("{} is allowed and forbidden", pattern));
    if (allowed.empty()) return;
    for (const plan::RequiredPath& required : job.required_paths) {
      const std::string path = fs::path(required.path).lexically_normal().string();
      if (required.type == plan::PathType::directory || fs::path(path).is_absolute()) continue;
      const auto covers = [&](const std::string& pattern) { return overlap(path, pattern); };
      if (std::ranges::none_of(allowed, covers))
        add_entry(Severity::warning, "outside-own-zone", job, "requiredPaths", required.path,
                  fmt::format("{} must be there, and nothing in allowedWritePaths lets the job "
                              "write it",
                              required.path));
    }
  }

  bool is_directory(const JobSpec& job, const std::string& pattern) const {
    std::error_code ignored;
    return pattern.find('*') == std::string::npos && !pattern.ends_with('/') &&
           fs::is_directory(directory_of(job) / pattern, ignored);
  }

  void look_at_words(const JobSpec& job) {
    using enum ContractList;
    for (const ContractList list :
         {required_worker_log, forbidden_worker_log, required_final, required_report}) {
      for (const std::string& pattern : job.contract.of(list))
        if (pattern.find("JOB_STATUS") != std::string::npos)
          add_entry(Severity::warning, "status-marker", job, name_of(list), pattern,
                    "JOB_STATUS lines are a convention of old plans; the report says how it went");
    }
    if (!job.contract.of(required_worker_log).empty())
      add_entry(Severity::note, "worker-log", job, name_of(required_worker_log),
                job.contract.of(required_worker_log).front(),
                "requiredOutputRegex asks the worker's log, which stays empty unless the prompt "
                "asks for it; requiredFinalRegex asks the final message");
  }

  fs::path directory_of(const JobSpec& job) const { return options_.cwd / job.cwd.value_or(""); }

  void look_at_job(const JobSpec& job) {
    std::error_code ignored;
    if (job.cwd && !fs::is_directory(directory_of(job), ignored))
      add(Severity::error, "missing-cwd", job.id, places_.key(job.id, "cwd"),
          fmt::format("{} is no directory", directory_of(job).lexically_normal().string()));
    if (job.model && options_.unknown_model)
      if (const auto why = options_.unknown_model(*job.model))
        add(Severity::warning, "unknown-model", job.id, places_.key(job.id, "model"), *why);
    if (!looks_at_content(job))
      add(Severity::note, "no-content-check", job.id, places_.job(job.id),
          "no check looks at what the job made: a file of the right name is enough");
  }

  static bool looks_at_content(const JobSpec& job) {
    const auto asks = [](const plan::RequiredPath& path) {
      return path.min_bytes > 0 || !path.required_regex.empty() || !path.forbidden_regex.empty();
    };
    using enum ContractList;
    const auto& contract = job.contract;
    return !contract.commands.empty() || std::ranges::any_of(job.required_paths, asks) ||
           !contract.of(required_final).empty() || !contract.of(required_report).empty() ||
           !contract.of(required_worker_log).empty() || !contract.of(required_raw_output).empty();
  }

  // An entry that is nothing but a placeholder of an empty list is no entry.
  void look_at_splats() {
    if (!places_.tree()) return;
    std::set<std::string> empty;
    collect_empty(places_.tree()->root(), empty);
    if (!empty.empty()) find_splats(places_.tree()->root(), empty);
  }

  static void collect_empty(plan::JsonView value, std::set<std::string>& empty) {
    if (value.kind() != plan::JsonKind::object && value.kind() != plan::JsonKind::array) return;
    for (const plan::JsonView member : value) {
      if (value.kind() == plan::JsonKind::object && member.key() == "vars" &&
          member.kind() == plan::JsonKind::object) {
        for (const plan::JsonView var : member)
          if (var.kind() == plan::JsonKind::array && var.size() == 0) empty.emplace(var.key());
      } else {
        collect_empty(member, empty);
      }
    }
  }

  void find_splats(plan::JsonView value, const std::set<std::string>& empty) {
    if (value.kind() == plan::JsonKind::string) {
      std::string_view text = value.string();
      if (!text.starts_with("{{") || !text.ends_with("}}") || text.size() < 5) return;
      text = text.substr(2, text.size() - 4);
      while (text.starts_with(' ')) text.remove_prefix(1);
      while (text.ends_with(' ')) text.remove_suffix(1);
      if (empty.contains(std::string(text)))
        add(Severity::warning, "empty-splat", "", places_.at(value.place()),
            fmt::format("{{{{{}}}}} stands for an empty list: nothing is asked for here", text));
    } else if (value.kind() == plan::JsonKind::object || value.kind() == plan::JsonKind::array) {
      for (const plan::JsonView member : value)
        if (member.key() != "vars") find_splats(member, empty);
    }
  }

  // For each job, which others it comes after.
  std::vector<std::set<std::uint32_t>> all_before() const {
    std::vector<std::set<std::uint32_t>> before(plan_.jobs.size());
    std::vector<bool> done(plan_.jobs.size(), false);
    const auto fill = [&](auto&& self, std::uint32_t job) -> void {
      if (done[job]) return;
      done[job] = true;
      for (const plan::Dependency& on : plan_.jobs[job].depends_on) {
        self(self, on.index);
        before[job].insert(on.index);
        before[job].insert(before[on.index].begin(), before[on.index].end());
      }
    };
    for (std::uint32_t job = 0; job < plan_.jobs.size(); ++job) fill(fill, job);
    return before;
  }

  void look_at_zones() {
    std::vector<std::uint32_t> zoned;
    for (std::uint32_t i = 0; i < plan_.jobs.size(); ++i)
      if (plan_.jobs[i].isolation == plan::Isolation::shared &&
          !plan_.jobs[i].contract.of(ContractList::allowed_write_paths).empty())
        zoned.push_back(i);
    if (zoned.size() < 2 || zoned.size() > zoned_jobs_max) return;
    const auto before = all_before();
    for (std::size_t i = 0; i < zoned.size(); ++i) {
      for (std::size_t j = i + 1; j < zoned.size(); ++j) {
        const std::uint32_t a = zoned[i], b = zoned[j];
        if (before[a].contains(b) || before[b].contains(a)) continue;
        if (compare(plan_.jobs[a], plan_.jobs[b])) break;  // one neighbour is enough to look
      }
    }
  }

  bool compare(const JobSpec& a, const JobSpec& b) {
    for (const std::string& mine : a.contract.of(ContractList::allowed_write_paths)) {
      for (const std::string& other : b.contract.of(ContractList::allowed_write_paths)) {
        if (!overlap(from_run(a.cwd.value_or(""), mine), from_run(b.cwd.value_or(""), other)))
          continue;
        add_entry(Severity::warning, "zones-overlap", a, name_of(ContractList::allowed_write_paths),
                  mine,
                  fmt::format("jobs {} and {} may run at the same time and may both write {}", a.id,
                              b.id, mine == other ? mine : mine + " and " + other));
        return true;
      }
    }
    return false;
  }

  const plan::Plan& plan_;
  const Options& options_;
  const Places& places_;
  std::vector<Finding> findings_;
  std::set<std::tuple<std::size_t, std::size_t, std::string>> seen_;
};

}  // namespace

std::string_view name_of(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

std::vector<Finding> lint(const plan::PlanFile& file, const Options& options) {
  const plan::Source source(options.name, file.text);
  const Places places(source);
  return Linter(file, options, places).run();
}

}  // namespace pievt::lint
