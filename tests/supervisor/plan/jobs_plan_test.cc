// Every document that jobs_plan of pi-jobs takes is a plan, and means the same. The cases in
// data/jobs_plan.json are ours; the recorded ones beside the checkout are checked when they are
// there.
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "supervisor/plan/disk_files.h"
#include "supervisor/plan/json_tree.h"
#include "supervisor/plan/read_plan.h"
#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

/// The value as JSON again.
std::string json_of(JsonView value) {
  std::string out;
  switch (value.kind()) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return value.boolean() ? "true" : "false";
    case JsonKind::number:
      return fmt::format("{}", value.number());
    case JsonKind::string:
      for (const char c : value.string()) {
        if (c == '"' || c == '\\') out += '\\';
        out += c == '\n' ? "\\n" : std::string(1, c);
      }
      return '"' + out + '"';
    case JsonKind::array:
      for (const JsonView entry : value) out += json_of(entry) + ',';
      return '[' + out + ']';
    case JsonKind::object:
      for (const JsonView member : value)
        out += fmt::format("\"{}\":{},", member.key(), json_of(member));
      return '{' + out + '}';
  }
  return out;
}

std::string text_or(JsonView object, std::string_view key, const std::string& fallback) {
  const auto value = object.find(key);
  return value ? std::string(value->string()) : fallback;
}

void expect_same_paths(const JobSpec& job, JsonView wanted) {
  const auto acceptance = wanted.find("acceptance");
  const auto paths = acceptance ? acceptance->find("requiredPaths") : std::nullopt;
  std::vector<std::string> expected;
  if (paths)
    for (const JsonView path : *paths)
      expected.emplace_back(path.kind() == JsonKind::string ? path.string()
                                                            : path.find("path")->string());
  std::vector<std::string> have;
  for (const RequiredPath& path : job.required_paths) have.push_back(path.path);
  EXPECT_EQ(have, expected);
}

void expect_same_job(const JobSpec& job, JsonView wanted) {
  const std::string id = text_or(wanted, "id", "");
  const std::size_t begin = id.find_first_not_of(' ');
  EXPECT_EQ(job.id, id.substr(begin, id.find_last_not_of(' ') + 1 - begin));
  EXPECT_EQ(job.name, text_or(wanted, "name", ""));
  EXPECT_EQ(prompt_of(job), text_or(wanted, "prompt", ""));
  EXPECT_EQ(job.cwd.value_or("(none)"), text_or(wanted, "cwd", "(none)"));
  const auto timeout = wanted.find("timeoutMs");
  EXPECT_EQ(static_cast<double>(job.timeout_ms), timeout ? timeout->number() : 600'000.0);
  std::map<std::string, std::string> metadata;
  if (const auto pairs = wanted.find("metadata"))
    for (const JsonView pair : *pairs) metadata.emplace(pair.key(), pair.string());
  EXPECT_EQ(job.metadata, metadata);
  expect_same_paths(job, wanted);
}

/// What we allow and jobs_plan does not.
bool is_allowed_here(std::string_view error) {
  return error.find("rows; max is 100") != std::string_view::npos ||
         error.find(".dependsOn is not supported") != std::string_view::npos;
}

/// Checks one case {"in": document, "ok": {...} | "error": text}; returns whether it says anything.
bool check(JsonView test) {
  const JsonView in = *test.find("in");
  if (in.kind() == JsonKind::object && in.find("big")) return false;  // only a note about its size
  MemoryFiles files;
  const auto whole = read_plan("plan.json", json_of(in), files);
  if (const auto error = test.find("error")) {
    EXPECT_EQ(whole.ok(), is_allowed_here(error->string())) << error->string();
    return true;
  }
  const Plan plan = accepted(json_of(in));
  const JsonView jobs = *test.find("ok")->find("params")->find("jobs");
  EXPECT_EQ(plan.jobs.size(), jobs.size());
  std::size_t i = 0;
  for (const JsonView job : jobs)
    if (i < plan.jobs.size()) expect_same_job(plan.jobs[i++], job);
  return true;
}

/// The number of cases in a file that were checked.
std::size_t check_all(const std::string& path) {
  DiskFiles disk("");
  auto text = disk.read(path, limits::file_bytes_max);
  EXPECT_TRUE(text.ok()) << path;
  if (!text.ok()) return 0;
  const Source source(path, std::move(text).value());
  Problems problems;
  const auto tree = JsonTree::parse(source, problems);
  EXPECT_TRUE(tree.has_value());
  if (!tree) return 0;
  std::size_t checked = 0;
  for (const JsonView test : tree->root()) {
    SCOPED_TRACE(json_of(test));
    if (check(test)) ++checked;
  }
  return checked;
}

TEST(JobsPlan, OurCasesMeanTheSame) {
  EXPECT_EQ(check_all(PIEVT_SOURCE_DIR "/tests/supervisor/plan/data/jobs_plan.json"), 16u);
}

TEST(JobsPlan, RecordedCasesMeanTheSame) {
  const char* shared = std::getenv("PIEVT_SHARED");
  const std::string root = shared ? shared : PIEVT_SOURCE_DIR "/../shared";
  const std::string path = root + "/fixtures/pi-jobs/vectors/plan.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no recorded data beside the checkout";
  EXPECT_GE(check_all(path), 28u);
}

}  // namespace
}  // namespace pievt::plan
