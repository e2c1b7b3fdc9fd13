// Two runs, or one at two moments, side by side: jobs by their ids and then by what they were
// asked, attempts by their order, and what an attempt did by its content and not by its time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pievt/run_state.h"
#include "pievt/run_story.h"
#include "tools/verbs/lasting_text.h"
#include "tools/verbs/state_leaves.h"

namespace pievt::tools {

/// A run up to a moment.
struct RunSide {
  std::string label;  ///< how it was named, "RUN" or "RUN@812"
  RunState state;
  RunStory story;
  const Log* log = nullptr;  ///< where its texts are
};

/// A job of a run, or one of its attempts.
struct RunPiece {
  std::uint32_t job = 0;
  std::optional<std::uint32_t> attempt;
};

/// Something an attempt did that the other did not, or that came out otherwise.
struct StepChange {
  enum class Kind : std::uint8_t { removed, added, changed } kind{};
  std::string a, b;  ///< what it was, one line; empty where the side has nothing
  std::uint64_t revision_a = 0, revision_b = 0;
  std::optional<schema::BlobRef> body_a, body_b;  ///< what came out of it
};

struct AttemptDifference {
  std::uint32_t number = 0;
  bool in_a = false, in_b = false;
  std::size_t same_steps = 0;   ///< that came out the same too
  std::size_t same_before = 0;  ///< steps before the first difference
  std::vector<StepChange> steps;
  std::vector<FieldChange> fields;
  std::optional<schema::BlobRef> prompt_a, prompt_b;  ///< where they differ
  VolatileWords words_a, words_b;                     ///< that do not count in them

  bool empty() const {
    return in_a == in_b && steps.empty() && fields.empty() && !prompt_a && !prompt_b;
  }
};

struct JobDifference {
  std::string id_a, id_b;  ///< empty where the side has no such job
  std::string ending_a, ending_b;
  std::vector<FieldChange> fields;
  std::vector<AttemptDifference> attempts;            ///< only those that differ
  std::optional<schema::BlobRef> prompt_a, prompt_b;  ///< of its declaration, where they differ
  VolatileWords words_a, words_b;                     ///< that do not count in them
  std::uint64_t revision_a = 0, revision_b = 0;       ///< of the first thing that differs

  bool empty() const {
    return id_a == id_b && fields.empty() && attempts.empty() && !prompt_a && !prompt_b;
  }
};

/// The first thing that differs, in the order of a's events.
struct FirstDifference {
  std::string where;  ///< "run", "intro", "intro/2"
  std::string a, b;   ///< one line each; empty where the side has nothing
  std::uint64_t revision_a = 0, revision_b = 0;
};

struct RunDifference {
  std::string label_a, label_b;
  std::vector<FieldChange> fields;  ///< of the run itself
  std::size_t same_jobs = 0;
  std::vector<JobDifference> jobs;  ///< only those that differ
  std::optional<FirstDifference> first;

  bool empty() const { return fields.empty() && jobs.empty(); }
};

/// Compares; the sides are as before when it returns.
Result<RunDifference> difference_of(RunSide& a, RunSide& b);

/// The same of a job against a job, or an attempt against an attempt, of two runs or of one. `a`
/// and `b` name the same kind of thing. not_found: a side has no such thing at its moment.
Result<RunDifference> difference_of(RunSide& a, const RunPiece& in_a, RunSide& b,
                                    const RunPiece& in_b);

/// One attempt against another, by what they did.
AttemptDifference attempt_difference(const story::Attempt* a, const story::Attempt* b);

/// Two plan files, expanded: invalid or not_found as reading a plan says it.
Result<RunDifference> plan_difference(const std::string& path_a, const std::string& path_b);

}  // namespace pievt::tools
