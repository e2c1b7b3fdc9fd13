// See environment.h.
#include "supervisor/launch/environment.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "supervisor/launch/provider_keys.h"
#include "supervisor/process/sweep.h"

namespace pievt::launch {
namespace {

constexpr std::array<std::string_view, 19> passed_always{"ALL_PROXY",
                                                         "HOME",
                                                         "HTTPS_PROXY",
                                                         "HTTP_PROXY",
                                                         "LANG",
                                                         "LOGNAME",
                                                         "NODE_EXTRA_CA_CERTS",
                                                         "NO_PROXY",
                                                         "PATH",
                                                         "SHELL",
                                                         "SSL_CERT_DIR",
                                                         "SSL_CERT_FILE",
                                                         "TERM",
                                                         "TZ",
                                                         "USER",
                                                         "all_proxy",
                                                         "http_proxy",
                                                         "https_proxy",
                                                         "no_proxy"};
static_assert(std::ranges::is_sorted(passed_always));

/// They load code into pi, or into every shell a tool starts, before its first line.
constexpr std::array<std::string_view, 3> passed_never{"BASH_ENV", "NODE_OPTIONS",
                                                       "NODE_REPL_EXTERNAL_MODULE"};

/// What a shell without a PATH of its own would search.
constexpr std::string_view usual_path = "/usr/local/bin:/usr/bin:/bin";

bool is_dangerous(std::string_view name) {
  return name.starts_with("LD_") || std::ranges::find(passed_never, name) != passed_never.end();
}

bool is_passed_always(std::string_view name) {
  return name.starts_with("LC_") || std::ranges::binary_search(passed_always, name);
}

std::vector<process::Variable> ours(const EnvironmentRequest& request) {
  return {{"PI_CODING_AGENT_DIR", request.agent_directory.string()},
          {"PI_OFFLINE", "1"},
          {"PI_TELEMETRY", "0"},
          {"PI_SKIP_VERSION_CHECK", "1"},
          {"TMPDIR", request.temporary_directory.string()},
          {std::string(process::marker_name), request.attempt}};
}

Status check_job_entry(const process::Variable& entry, const std::vector<process::Variable>& own) {
  const auto& [name, value] = entry;
  const std::string_view shown = std::string_view(name).substr(0, name.find('\0'));
  if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos)
    return Error{Errc::invalid,
                 fmt::format("the job's environment has an entry '{}', which cannot be the name of "
                             "a variable; correct \"env\"",
                             shown)};
  if (value.find('\0') != std::string::npos)
    return Error{Errc::invalid,
                 fmt::format("the job's value of {} holds a NUL byte; correct \"env\"", name)};
  if (is_dangerous(name))
    return Error{Errc::invalid,
                 fmt::format("the job sets {}, which would load foreign code into pi; take it out "
                             "of \"env\"",
                             name)};
  if (std::ranges::find(own, name, &process::Variable::name) != own.end())
    return Error{Errc::invalid, fmt::format("the job sets {}, which is the supervisor's own; take "
                                            "it out of \"env\"",
                                            name)};
  return {};
}

// Which of the parent's variables go on to the child.
class Passing {
 public:
  explicit Passing(const EnvironmentRequest& request)
      : all_keys_(all_key_variables(request.custom)),
        keys_(!request.provider           ? all_keys_
              : request.provider->empty() ? std::vector<std::string>{}
                                          : key_variables(*request.provider, request.custom)),
        request_(request) {}

  bool lets_through(const std::string& name) const {
    const auto has = [&](const std::vector<std::string>& names) {
      return std::ranges::find(names, name) != names.end();
    };
    if (is_dangerous(name)) return false;
    if (has(request_.deny) && name != "PATH") return false;
    if (is_passed_always(name) || has(keys_)) return true;
    return has(request_.allow) && !has(all_keys_);
  }

 private:
  std::vector<std::string> all_keys_, keys_;
  const EnvironmentRequest& request_;
};

}  // namespace

Result<ChildEnvironment> select_environment(const std::vector<process::Variable>& parent,
                                            const EnvironmentRequest& request) {
  const auto own = ours(request);
  const Passing passing(request);

  std::map<std::string, std::string> chosen;
  for (const auto& [name, value] : parent)
    if (passing.lets_through(name)) chosen.emplace(name, value);
  chosen.emplace("PATH", usual_path);
  for (const auto& [name, value] : own) chosen[name] = value;
  std::set<std::string_view> of_job;
  for (const process::Variable& entry : request.job) {
    PIEVT_TRY(check_job_entry(entry, own));
    if (!of_job.insert(entry.name).second)
      return Error{Errc::invalid,
                   fmt::format("the job sets {} twice; keep one in \"env\"", entry.name)};
    chosen[entry.name] = entry.value;
  }

  std::set<std::string> withheld;
  for (const process::Variable& each : parent)
    if (!chosen.contains(each.name)) withheld.insert(each.name);
  ChildEnvironment out;
  out.withheld.assign(withheld.begin(), withheld.end());
  for (auto& [name, value] : chosen) {
    out.passed.push_back(name);
    out.variables.push_back({name, std::move(value)});
  }
  return out;
}

std::vector<process::Variable> read_environment(const char* const* entries) {
  std::vector<process::Variable> out;
  for (; entries != nullptr && *entries != nullptr; ++entries) {
    const std::string_view entry(*entries);
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    out.push_back({std::string(entry.substr(0, equals)), std::string(entry.substr(equals + 1))});
  }
  return out;
}

}  // namespace pievt::launch
