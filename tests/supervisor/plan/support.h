// What the tests of plans say instead of plumbing.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor/plan/files.h"
#include "supervisor/plan/plan.h"

namespace pievt::plan {

/// Files in memory. `?`, `*` and `**` in patterns work on whole paths.
class MemoryFiles : public FileSource {
 public:
  MemoryFiles() = default;
  MemoryFiles(std::initializer_list<std::pair<const std::string, std::string>> files)
      : files_(files) {}

  Result<std::string> read(const std::string& path, std::size_t bytes_max) override;
  Result<std::vector<std::string>> glob(const std::string& pattern, std::size_t files_max) override;

  const std::vector<std::string>& reads() const { return reads_; }

 private:
  std::map<std::string, std::string> files_;
  std::vector<std::string> reads_;
};

/// The plan, named plan.json. A test that is not given one fails and goes on with an empty plan.
Plan accepted(std::string text, MemoryFiles files = {});

/// The messages of a plan that is not one, named plan.json.
std::string refused(std::string text, MemoryFiles files = {});

/// The prompt with `<final of id>` where a final message will stand.
std::string prompt_of(const JobSpec& job);

/// The ids a job depends on, in order, those that need only be finished with a `?`.
std::string depends_of(const JobSpec& job);

/// The job of that id; a test that asks for one which is not there fails.
const JobSpec& job_of(const Plan& plan, std::string_view id);

/// `text` with ' for ", so that JSON can be written in C++ without clutter.
std::string quotes(std::string_view text);

}  // namespace pievt::plan
