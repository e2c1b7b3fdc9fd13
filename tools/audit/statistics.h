// How attempts end, over many runs: by kind of failure, provider, model, hour of the day or run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "pievt/run_state.h"
#include "tools/audit/ledger.h"
#include "tools/audit/report.h"
#include "tools/render/text.h"

namespace pievt::audit {

enum class Grouping : std::uint8_t { kind, provider, model, hour, run };

struct StatisticsRow {
  std::string key;  ///< "provider_transient", "server_error 500", "fake/scripted-1", "02:00"
  std::uint64_t attempts = 0;
  std::uint64_t failed = 0;   ///< of those
  std::uint64_t retried = 0;  ///< of the failed ones, how many another attempt followed
  std::uint64_t jobs = 0;     ///< that ended with an attempt of this row and did not succeed
  Spent spent;
  std::uint64_t duration_ms = 0;
};

/// Pure: fed with states, it knows no log.
class Statistics {
 public:
  Statistics(Grouping grouping, render::Zone zone) : grouping_(grouping), zone_(zone) {}

  void add(const RunState& run, const RunPart& part = {});

  /// Hours by the clock, everything else by how many failed.
  std::vector<StatisticsRow> rows() const;

 private:
  std::string key_of(const RunState& run, const JobState& job, const AttemptState& attempt) const;

  Grouping grouping_;
  render::Zone zone_;
  std::map<std::string, StatisticsRow> rows_;
};

}  // namespace pievt::audit
