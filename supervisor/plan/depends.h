// Who waits for whom: turns names and patterns into jobs, and finds circles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "supervisor/plan/plan.h"
#include "supervisor/plan/template.h"

namespace pievt::plan {

/// A dependency as a job asks for it, after expansion of its text.
struct Wanted {
  std::string job;  ///< an id, or a pattern of ids
  When when = When::success;
  const Text* text = nullptr;  ///< where it is asked for; outlives the call
  std::size_t index = 0;       ///< in that text
  /// A prompt that holds a job's final message depends on that job, whether it says so or not. Such
  /// a dependency changes nothing about one that is asked for by name, and is no pattern.
  enum class Kind { asked, implied } kind = Kind::asked;

  /// The entry of the list, or the placeholder.
  Place place() const { return kind == Kind::asked ? text->place : text->at(index); }
};

/// Fills in JobSpec::depends_on and FinalOf::index of all jobs; `wanted[i]` belongs to `jobs[i]`,
/// `labels[i]` is how messages name it. Ids are unique. Noted in `problems`: names of no job,
/// patterns that fit none, more than limits::dependencies_max, and circles, as `a -> b -> a`.
void resolve_dependencies(std::vector<JobSpec>& jobs,
                          const std::vector<std::vector<Wanted>>& wanted,
                          const std::vector<std::string>& labels, Problems& problems);

}  // namespace pievt::plan
