// Tells a foreign batch as the events of a run, one after the other, to the rules and to the fold.
//
// What the stored run has already is passed over, so the same story told twice adds nothing and a
// longer one continues. What the rules refuse is not forced upon them: it becomes an anomaly.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "pievt/run_state.h"
#include "store/format/codec.h"
#include "tools/importers/importer.h"

namespace pievt::tools {

class RunTeller {
 public:
  /// A run nobody has heard of, or the one in `log` with everything that was told of it.
  static Result<RunTeller> begin(const Log* log, const std::string& run_id,
                                 std::vector<FoundAnomaly>& anomalies);

  /// Tells one event, and says whether it is new. Numbers of gates and artifacts are given here;
  /// and a time that is before that of an event which is there already becomes the same as that:
  /// by its time, an event must be where it is in the stream.
  bool tell(NewEvent event);

  /// The run with everything told so far.
  const RunState& state() const { return state_; }
  /// Whether the attempt had ended when this teller began: its story is known.
  bool knew_end_of(std::uint32_t job, std::uint32_t attempt) const;
  /// Whether a verdict on the job after that attempt was told before.
  bool knew_verdict(std::uint32_t job, std::uint32_t attempt) const {
    return judged_.contains({job, attempt});
  }
  bool knew_run() const { return known_revision_ != 0; }
  std::uint64_t new_events() const { return events_.size(); }

  /// Appends what is new, in commits that are the same whenever they are repeated. conflict:
  /// somebody else imports the same run at this moment.
  Status append(Log& log);

 private:
  RunTeller(std::string run_id, std::vector<FoundAnomaly>& anomalies)
      : run_id_(std::move(run_id)), anomalies_(anomalies) {}

  std::string identity(const NewEvent& event);
  void number(NewEvent& event) const;
  void refuse(const NewEvent& event, const std::string& why);

  std::string run_id_;
  std::vector<FoundAnomaly>& anomalies_;
  RunState state_;
  std::uint64_t known_revision_ = 0;
  std::uint64_t latest_ns_ = 0;                 ///< of all events so far
  std::map<std::string, std::uint32_t> known_;  ///< identity of stored events, how often
  std::set<std::pair<std::uint32_t, std::uint32_t>> ended_, judged_;
  std::vector<NewEvent> events_;
  format::BodyEncoder encoder_;
};

/// The id of an append that is made from what it holds: the same content, the same id, for ever.
AppendId derived_append_id(std::string_view what, std::uint64_t place, const Digest& content);

}  // namespace pievt::tools
