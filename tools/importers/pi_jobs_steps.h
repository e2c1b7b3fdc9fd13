// What a batch's record says, put into the order in which it happened: the log by its numbers, then
// what only snapshots, telemetry and session files say, each at its time and inside its attempt.
#pragma once

#include <memory>
#include <vector>

#include "tools/importers/blob_sink.h"
#include "tools/importers/pi_jobs_batch.h"

namespace pievt::tools::pi_jobs {

struct Step {
  RecordType type = RecordType::other;
  std::uint64_t at_ns = 0;  ///< 0: not known
  std::uint32_t job = 0;
  std::uint32_t attempt = 0;
  std::string status, failure;
  std::uint64_t delay_ms = 0;
  const Record* record = nullptr;  ///< the line of the log it is from; lives as long as the batch
  bool blank = false;              ///< of a last message: there is nothing to see in it
  bool final = false;              ///< of a job's end: nothing of the job comes after it
  /// An observation of the attempt, ready to be an event; `type` has no meaning then.
  std::unique_ptr<Payload> observation;
};

/// The whole story, in the order it happened.
Result<std::vector<Step>> steps_of(const Batch& batch, const SourceFiles& files, BlobSink& blobs,
                                   std::vector<FoundAnomaly>& anomalies);

/// What an attempt's own files tell.
struct AttemptStory {
  std::vector<Step> observations;
  std::string final_text;
  std::string final_stop_reason;
  std::uint32_t text_parts = 0, thinking_parts = 0, tool_calls = 0;
  bool has_final = false;
  bool blank = true;  ///< the final text has nothing to see

  /// The first line of the final text, for people.
  std::string excerpt() const;
};
Result<AttemptStory> story_of(const std::string& job, std::uint32_t job_number,
                              std::uint32_t attempt, const SourceFiles& files, BlobSink& blobs,
                              AnomalyList& anomalies);

/// `attempts/<job>/attempt-<N>/`
std::string attempt_directory(std::string_view job, std::uint32_t attempt);

/// pi-jobs writes one line of prose where it does not keep a child's output.
bool is_placeholder(std::string_view stdout_text);

}  // namespace pievt::tools::pi_jobs
