// Who spent what: model requests added up by run, job, attempt, model or day. A request counts
// once, where its usage was recorded, whatever pi repeated or made room for around it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "pievt/run_state.h"
#include "tools/audit/report.h"
#include "tools/render/text.h"

namespace pievt::audit {

enum class By : std::uint8_t { run, job, attempt, model, day };

struct LedgerRow {
  std::string key;  ///< "20261120-120504-8084d3", "r2", "r2/1", "fake/scripted-1", "2026-11-20"
  Spent spent;
  Spent wasted;  ///< of that, on attempts whose work was not accepted
  std::uint64_t attempts = 0;
  std::uint64_t first_ns = 0;
};

/// One job of a run, or one attempt of it; without a job, all of the run.
struct RunPart {
  std::optional<std::uint32_t> job, attempt;

  bool has(std::uint32_t number, std::uint32_t which) const {
    return (!job || *job == number) && (!attempt || *attempt == which);
  }
};

class Ledger {
 public:
  enum class Runs : std::uint8_t {
    one,
    several
  };  ///< of several, jobs are called by their run too
  Ledger(By by, Runs runs, render::Zone zone) : by_(by), runs_(runs), zone_(zone) {}

  /// Adds one run up to its event `at` (0: all), or only a part of it. Reads its events once for
  /// models and days, and only its state for the others.
  Status add(const Log& log, std::string_view run_id, Revision at = {}, const RunPart& part = {});

  /// In the order their first request was seen; days by date.
  const std::vector<LedgerRow>& rows() const { return rows_; }
  Spent total() const;
  Spent wasted() const;

 private:
  LedgerRow& row(const std::string& key, std::uint64_t at_ns);
  void add_state(const RunState& run, const RunPart& part);
  Status add_events(const Log& log, const RunState& run, Revision at, const RunPart& part);

  By by_;
  Runs runs_;
  render::Zone zone_;
  std::vector<LedgerRow> rows_;
  std::map<std::string, std::size_t> places_;
};

/// Whether what this attempt cost bought nothing: its job did not succeed, or a later attempt did
/// the work.
bool was_wasted(const JobState& job, const AttemptState& attempt);

}  // namespace pievt::audit
