#include "tests/supervisor/plan/support.h"

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

#include "supervisor/plan/glob.h"
#include "supervisor/plan/read_plan.h"

namespace pievt::plan {

Result<std::string> MemoryFiles::read(const std::string& path, std::size_t bytes_max) {
  reads_.push_back(path);
  const auto file = files_.find(path);
  if (file == files_.end()) return Error{Errc::not_found, "is not there"};
  if (file->second.size() > bytes_max) return Error{Errc::invalid, "is too large"};
  return file->second;
}

Result<std::vector<std::string>> MemoryFiles::glob(const std::string& pattern,
                                                   std::size_t files_max) {
  std::vector<std::string> found;
  for (const auto& [path, text] : files_)
    if (glob_matches(pattern, path)) found.push_back(path);
  if (found.size() > files_max) return Error{Errc::invalid, "matches too many files"};
  return found;
}

Plan accepted(std::string text, MemoryFiles files) {
  auto plan = read_plan("plan.json", std::move(text), files);
  if (plan.ok()) return std::move(plan).value();
  ADD_FAILURE() << plan.error().what;
  return Plan{};
}

std::string refused(std::string text, MemoryFiles files) {
  const auto plan = read_plan("plan.json", std::move(text), files);
  if (plan.ok()) return "(accepted)";
  EXPECT_EQ(plan.error().code, Errc::invalid);
  return plan.error().what;
}

std::string prompt_of(const JobSpec& job) {
  std::string out;
  for (const auto& piece : job.prompt) {
    if (const auto* text = std::get_if<std::string>(&piece))
      out += *text;
    else
      out += "<final of " + std::get<FinalOf>(piece).job + ">";
  }
  return out;
}

std::string depends_of(const JobSpec& job) {
  std::string out;
  for (const Dependency& on : job.depends_on) {
    if (!out.empty()) out += ' ';
    out += on.job;
    if (on.when == When::finished) out += '?';
  }
  return out;
}

const JobSpec& job_of(const Plan& plan, std::string_view id) {
  const auto job = std::ranges::find(plan.jobs, id, &JobSpec::id);
  if (job != plan.jobs.end()) return *job;
  ADD_FAILURE() << "no job " << id;
  static const JobSpec none;
  return none;
}

std::string quotes(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '\'', '"');
  return out;
}

}  // namespace pievt::plan
