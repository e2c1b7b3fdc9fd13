// Large batches of pi-jobs, as that program leaves them behind: what the audit verbs are measured
// with is imported, like the runs of most who begin with pievt.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "pievt/result.h"

namespace pievt::bench {

struct Batch {
  std::string id;
  std::size_t jobs = 0;
  std::size_t calls = 0;       ///< tool calls of each job's worker
  std::size_t text_bytes = 0;  ///< of each of ten long messages of each job
  std::size_t other_from = 0;  ///< from this job on the calls are other ones; 0: nowhere
};

/// Writes it below `directory`, in .pi/jobs. Every eighth job fails, from the fourth on.
Status write_batch(const std::filesystem::path& directory, const Batch& batch);

/// The name of a job, counted from 0.
std::string job_name(std::size_t number);

}  // namespace pievt::bench
