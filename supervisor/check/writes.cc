#include "supervisor/check/writes.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/check/path_pattern.h"

namespace pievt::acceptance {
namespace {

using schema::Attribution;
using schema::CheckStatus;
using schema::WriteZone;
using Patterns = std::vector<std::string>;

// Relative to the job's directory where it lies inside it, as patterns are written.
std::string shown_path(const std::string& path, const std::filesystem::path& cwd) {
  const std::filesystem::path whole = (cwd / path).lexically_normal();
  const std::filesystem::path inside = whole.lexically_relative(cwd.lexically_normal());
  const bool outside = inside.empty() || *inside.begin() == "..";
  return outside ? whole.string() : inside.string();
}

std::string only(const Patterns& patterns) {
  const std::string all = fmt::format("only {}", fmt::join(patterns, ", "));
  return excerpt_of(all, 0, all.size());
}

struct Row {
  const char* kind;
  std::string expected;
  const char* failure;
};

// What the write breaks, if anything; each of the two lists by itself.
std::vector<Row> broken(const schema::AcceptanceT& contract, const std::string& path) {
  const Patterns& allowed = contract.allowed_write_paths;
  const Patterns& forbidden = contract.forbidden_write_paths;
  const auto covers = [&](const std::string& pattern) { return matches(path, pattern); };
  std::vector<Row> rows;
  if (const auto hit = std::ranges::find_if(forbidden, covers); hit != forbidden.end())
    rows.push_back({"forbiddenWritePaths", "nothing in " + *hit, "forbidden-write"});
  if (!allowed.empty() && std::ranges::none_of(allowed, covers))
    rows.push_back({"allowedWritePaths", only(allowed), "outside-allowed"});
  return rows;
}

std::string who(const Change& change) {
  switch (change.attribution) {
    case Attribution::own_tree:
      return "in the tree of attempt {}";
    case Attribution::tool:
      return "by a tool of attempt {}";
    case Attribution::process:
      return "by a process of attempt {}";
    case Attribution::only_one_running:
      return "while only attempt {} of the job ran there";
    default:
      return "while attempt {} ran there";
  }
}

bool is_certain(const Change& change) {
  return change.attribution != Attribution::one_of &&
         change.attribution != Attribution::nobody_of_ours &&
         change.attribution != Attribution::unknown;
}

struct Count {
  std::size_t changes = 0, outside = 0, uncertain = 0;
};

void ask_change(const schema::AcceptanceT& contract, const Change& change,
                const std::filesystem::path& cwd, Count& count, Checks& checks) {
  ++count.changes;
  const std::string path = shown_path(change.path, cwd);
  std::vector<Row> rows = broken(contract, path);
  if (change.zone == WriteZone::git_administration)
    rows.assign(1, {"writeAudit", "nothing that makes git run commands", "git-administration"});
  // Somebody else's zone, and nothing says that it was this job.
  if (rows.empty() || (!is_certain(change) && !change.detail.empty())) return;
  is_certain(change) ? ++count.outside : ++count.uncertain;
  for (const Row& row : rows) {
    schema::CheckT& seen = add_check(checks, row.kind, path);
    seen.status = is_certain(change) ? CheckStatus::failed : CheckStatus::warned;
    seen.expected = row.expected;
    seen.failure = is_certain(change) ? row.failure : "perhaps-another";
    seen.actual =
        fmt::format("{} {}", change.what, fmt::format(fmt::runtime(who(change)), change.attempt));
    if (!change.candidates.empty()) {
      const std::string list = fmt::format("one of {}", fmt::join(change.candidates, ", "));
      seen.actual += fmt::format("; {}", excerpt_of(list, 0, list.size()));
    }
  }
}

void ask_walks(const schema::AcceptanceT& contract, const Evidence& evidence, Checks& checks) {
  Count count;
  for (const Change& change : *evidence.changes)
    ask_change(contract, change, evidence.cwd, count, checks);
  schema::CheckT& seen = add_check(checks, "writeAudit", "writes");
  seen.expected = "writes in their zone";
  seen.status = count.uncertain == 0 ? CheckStatus::passed : CheckStatus::warned;
  seen.actual = fmt::format("{} path{} changed, {} outside", count.changes,
                            count.changes == 1 ? "" : "s", count.outside);
  if (count.uncertain > 0) {
    seen.failure = "perhaps-another";
    seen.actual += fmt::format("; {} more that may be another attempt's", count.uncertain);
  }
}

// What tools wrote is known from what they were told. What a shell wrote is not, and that is said,
// so that a passed gate does not look like a proof.
void ask_calls(const schema::AcceptanceT& contract, const Evidence& evidence, Checks& checks) {
  std::size_t failed = 0;
  for (const Write& write : evidence.writes) {
    const std::string path = shown_path(write.path, evidence.cwd);
    for (const Row& row : broken(contract, path)) {
      ++failed;
      schema::CheckT& seen = add_check(checks, row.kind, path);
      seen.status = CheckStatus::failed;
      seen.expected = row.expected;
      seen.failure = row.failure;
      seen.actual = fmt::format("written by the tool {} in attempt {}", write.tool, write.attempt);
    }
  }
  schema::CheckT& seen = add_check(checks, "writeAudit", "writes");
  seen.expected = "writes in their zone";
  seen.status = evidence.shell_calls == 0 ? CheckStatus::passed : CheckStatus::warned;
  if (evidence.shell_calls > 0) seen.failure = "shell-unseen";
  seen.actual = fmt::format("{} writes by tools, {} outside", evidence.writes.size(), failed);
  if (evidence.shell_calls > 0)
    seen.actual +=
        fmt::format("; what {} calls of a shell wrote is not seen", evidence.shell_calls);
}

}  // namespace

void ask_writes(const schema::AcceptanceT& contract, const Evidence& evidence, Checks& checks) {
  if (contract.allowed_write_paths.empty() && contract.forbidden_write_paths.empty()) return;
  evidence.changes ? ask_walks(contract, evidence, checks) : ask_calls(contract, evidence, checks);
}

}  // namespace pievt::acceptance
