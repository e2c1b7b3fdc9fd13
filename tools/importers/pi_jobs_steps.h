// What a batch's record says, put into the order in which it happened.
//
// What is said of one job is a chain: the log by its numbers, then what only snapshots, telemetry
// and session files say, each at its time and inside its attempt. The chains of all jobs are then
// one story by time. Every step of it has a time of the batch itself: what the source says, held
// between what is known of the attempt, the job and the batch around it, and where it says none,
// the time of what follows or went before. No step is earlier than the one before it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tools/importers/blob_sink.h"
#include "tools/importers/pi_jobs_batch.h"

namespace pievt::tools::pi_jobs {

struct Step {
  RecordType type = RecordType::other;
  std::uint64_t at_ns = 0;  ///< 0: not known yet
  std::uint64_t place = 0;  ///< in the log: which of two steps at the same time came first
  std::uint32_t job = 0;
  std::uint32_t attempt = 0;
  std::string status, failure;
  std::uint64_t delay_ms = 0;
  const Record* record = nullptr;  ///< the line of the log it is from; lives as long as the batch
  bool blank = false;              ///< of a last message: there is nothing to see in it
  bool final = false;              ///< of a job's end: nothing of the job comes after it
  bool ran = false;                ///< of an attempt's begin: what follows shows a process
  /// An observation of the attempt, ready to be an event; `type` has no meaning then.
  std::unique_ptr<Payload> observation;
};

/// When the batch began, from the best of what there is: its log, batch.json, its name, or the
/// earliest time that anything in it has. 0 where there is none of them.
std::uint64_t start_of(const Batch& batch);

/// The whole story, in the order it happened.
Result<std::vector<Step>> steps_of(const Batch& batch, const SourceFiles& files, BlobSink& blobs,
                                   std::vector<FoundAnomaly>& anomalies);

/// What an attempt's own files tell.
struct AttemptStory {
  std::vector<Step> observations;
  std::size_t from_session = 0;  ///< so many of them, at the front; the others are telemetry
  std::size_t last_message = 0;  ///< which observation the last message is, from 1
  std::string final_text;
  std::string final_stop_reason;
  std::uint32_t text_parts = 0, thinking_parts = 0, tool_calls = 0;
  std::vector<schema::SecretFoundT> secrets;  ///< in the final text
  bool has_final = false;
  bool blank = true;  ///< the final text has nothing to see

  /// The first line of the final text, for people.
  std::string excerpt() const;
};
Result<AttemptStory> story_of(const std::string& job, std::uint32_t job_number,
                              std::uint32_t attempt, const SourceFiles& files, BlobSink& blobs,
                              AnomalyList& anomalies);

/// What an attempt is known to lie between. An end of 0: not known.
struct Window {
  std::uint64_t begin_ns = 0, end_ns = 0;
};
/// Gives times to what has none and holds all of them in the window. `told` is in the order of one
/// file, and stays in it.
void settle_in_order(std::span<Step> told, const Window& window);
/// The same for steps that are not in order, such as labels, which are written when there is time.
void settle_each(std::span<Step> told, const Window& window);
/// Completes the times of a chain: none is before the one in front of it.
void settle_chain(std::vector<Step>& chain, const Window& window);
/// All chains as one, by time; at the same time by their places in the log.
std::vector<Step> merged(std::vector<std::vector<Step>> chains);

/// `attempts/<job>/attempt-<N>/`
std::string attempt_directory(std::string_view job, std::uint32_t attempt);

/// pi-jobs writes one line of prose where it does not keep a child's output.
bool is_placeholder(std::string_view stdout_text);

}  // namespace pievt::tools::pi_jobs
