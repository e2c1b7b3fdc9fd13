// What people should hear of while a run goes on: a job that waits for a person, money that is
// spent, a provider that refuses for good, a supervisor that died, a secret in the record. Pure:
// two states of a run in, sentences out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pievt/run_state.h"

namespace pievt::supervisor {

class Attention {
 public:
  /// What is true of `run` already is no news.
  explicit Attention(const RunState& run);

  /// What has become true since the last call, one sentence each, at most 20 with the rest counted.
  /// Cheap where nothing was written since.
  std::vector<std::string> news(const RunState& run);

 private:
  struct SeenJob {
    bool finished = false;
    schema::LimitKind limit = schema::LimitKind::unknown;
  };
  void look_at_job(const JobState& job, SeenJob& seen, std::vector<std::string>& out) const;

  std::uint64_t revision_ = 0;
  std::uint32_t recoveries_ = 0;
  std::uint32_t secrets_ = 0;
  std::size_t probes_ = 0;  ///< that are judged
  schema::LimitKind limit_ = schema::LimitKind::unknown;
  std::vector<SeenJob> jobs_;
};

}  // namespace pievt::supervisor
