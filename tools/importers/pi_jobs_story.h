// A batch on its way into the events of a run, one step of its story after the other. The parts are
// in pi_jobs_run.cc (the run and its jobs) and pi_jobs_attempts.cc (their attempts).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pievt/output.h"
#include "tools/importers/blob_sink.h"
#include "tools/importers/pi_jobs_batch.h"
#include "tools/importers/pi_jobs_steps.h"
#include "tools/importers/run_teller.h"
#include "tools/importers/secret_places.h"

namespace pievt::tools::pi_jobs {

class RunStory {
 public:
  RunStory(RunTeller& teller, const Batch& batch, const SourceFiles& files, BlobSink& blobs,
           std::vector<FoundAnomaly>& anomalies)
      : teller_(teller),
        batch_(batch),
        files_(files),
        blobs_(blobs),
        anomalies_(anomalies),
        secrets_(blobs),
        start_ns_(start_of(batch)) {}

  Status plan();
  Status step(Step&& step);

  /// What a batch without an end still has to tell.
  Status close();

 private:
  struct Final {
    schema::FinalMessageObservedT what;
    bool blank = true;
  };

  template <class Event>
  bool tell(Event event, std::uint64_t at_ns, Subject subject) {
    return teller_.tell({.payload = std::move(event), .subject = subject, .occurred_ns = at_ns});
  }

  const JobState* job_state(const Step& step) const { return find_job(teller_.state(), step.job); }
  const AttemptState* attempt_state(const Step& step) const;
  static Subject about(const Step& step) { return {.job = step.job, .attempt = step.attempt}; }

  AttemptRecord record_of(const Step& step) const;
  Status declare(const JobRecord& job, std::uint32_t number);
  Status request(const Step& step);
  void launched(const Step& step);
  void activity(const Step& step);
  void throttle(const Step& step);
  Status report(const Step& step);
  void stopped(const Step& step, const std::string& status, const std::string& failure);
  schema::Ending refined(schema::Ending ending, const Step& step) const;
  void reopen(const Step& step);
  void retry(const Step& step);
  Status finish_attempt(const Step& step);
  Result<std::uint64_t> output(const Step& step, schema::OutputChannel channel,
                               std::string_view name);
  void acceptance(const Step& step, Subject subject);
  void lose_open(std::uint32_t number, std::uint64_t at_ns);
  void finish_job(const Step& step);
  Status finish_run(const Step& step);
  Status files_and_anomalies(std::uint64_t at_ns);
  void tell_anomalies(std::uint64_t at_ns);
  void tell_reading(std::uint64_t at_ns);
  void tell_secrets(std::string_view text, schema::SecretPlace place, std::string_view where,
                    std::uint64_t at_ns, Subject subject);
  Status artifacts(const std::string& directory, std::uint64_t at_ns, Subject subject);
  Status artifact(const SourceFile& file, std::uint64_t at_ns, Subject subject);

  RunTeller& teller_;
  const Batch& batch_;
  const SourceFiles& files_;
  BlobSink& blobs_;
  std::vector<FoundAnomaly>& anomalies_;
  SecretPlaces secrets_;
  std::uint64_t start_ns_;
  std::uint64_t planned_ns_ = 0;
  OutputPacker packer_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> requested_ns_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Final> finals_;
  std::map<std::uint32_t, std::uint32_t> begun_;  ///< a job's last attempt so far in the story
  std::uint64_t last_ns_ = 0;
  bool told_files_ = false;
};

}  // namespace pievt::tools::pi_jobs
