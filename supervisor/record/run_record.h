// The run as its supervisor knows it: the state, and the events that are decided but not written
// yet.
//
// The order is always propose, commit, act. `propose` asks the rules and folds the event into the
// state, so that the next decision already knows of it; `commit` makes everything proposed durable
// in one append; only then may anything be done about it. The stream is written by this record
// alone: every append states the revision it goes after.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "pievt/query.h"
#include "pievt/run_state.h"

namespace pievt::supervisor {

class RunRecord {
 public:
  /// `state`: the run so far; a default one for a run that is about to be planned.
  RunRecord(Log& log, std::string run_id, RunState state)
      : log_(&log), run_id_(std::move(run_id)), state_(std::move(state)) {}

  /// Decides one event. invalid_transition: it is not possible now; nothing was changed.
  /// Returns the revision it will have.
  Result<Revision> propose(NewEvent event);

  /// Writes what was proposed, durably. After an error the record must not be used any more: the
  /// state has events that the log does not.
  Status commit();

  /// Stores a text for an event to refer to; durable with the commit of that event.
  Result<std::unique_ptr<schema::BlobRef>> put_text(std::string_view text,
                                                    schema::BlobKind kind = schema::BlobKind::text);

  const RunState& state() const { return state_; }
  const std::string& run_id() const { return run_id_; }
  Log& log() { return *log_; }
  bool has_pending() const { return !pending_.empty(); }

 private:
  Log* log_;
  std::string run_id_;
  RunState state_;
  std::vector<NewEvent> pending_;
};

}  // namespace pievt::supervisor
