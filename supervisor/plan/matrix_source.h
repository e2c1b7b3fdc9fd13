// Rows of a matrix that stand in files beside the plan: a pattern, CSV, or JSON lines.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "supervisor/plan/document.h"
#include "supervisor/plan/files.h"

namespace pievt::plan {

/// Reads files for one plan: names them as messages should, turns failures into problems at the
/// place where the plan names the file, and reads each only once.
class PlanFiles {
 public:
  /// `plan_name`: the plan's name in messages; files beside it are named relative to the same
  /// directory as it is. The arguments must outlive it.
  PlanFiles(std::string plan_name, FileSource& files, Sources& sources, Problems& problems)
      : plan_name_(std::move(plan_name)), files_(files), sources_(sources), problems_(problems) {}

  /// The text of a file, which is UTF-8 without NUL, or null after noting a problem. `what` names
  /// the kind of file in it, e.g. `prompt file`.
  const Source* text(const std::string& path, const Place& named_at, std::string_view what,
                     std::size_t bytes_max);

  FileSource& files() { return files_; }

 private:
  std::string shown_name(const std::string& path) const;

  std::string plan_name_;
  FileSource& files_;
  Sources& sources_;
  Problems& problems_;
  std::map<std::string, const Source*> read_;  ///< null: could not be read, and that is noted
};

/// The rows that `matrix` stands for: at most limits::jobs_max, and at least one unless `problems`
/// has grown.
std::vector<Written> read_matrix(const MatrixFile& matrix, PlanFiles& files, Problems& problems);

}  // namespace pievt::plan
