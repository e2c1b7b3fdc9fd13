// The run as its supervisor knows it: the state, and the events that are decided but not written
// yet.
//
// The order is always propose, commit, act. `propose` asks the rules and folds the event into the
// state, so that the next decision already knows of it; `commit` makes everything proposed durable
// in one append; only then may anything be done about it. The stream is written by this record
// alone: every append states the revision it goes after.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "pievt/query.h"
#include "pievt/run_state.h"
#include "supervisor/planners/marks.h"
#include "supervisor/record/journal.h"

namespace pievt::supervisor {

class RunRecord {
 public:
  /// `state`: the run so far; a default one for a run that is about to be planned.
  RunRecord(Log& log, std::string run_id, RunState state)
      : RunRecord(std::make_unique<LogJournal>(log), std::move(run_id), std::move(state)) {
    log_ = &log;
  }
  /// A record that is kept elsewhere; it has no log().
  RunRecord(std::unique_ptr<Journal> journal, std::string run_id, RunState state)
      : journal_(std::move(journal)), run_id_(std::move(run_id)), state_(std::move(state)) {}

  /// Decides one event. invalid_transition: it is not possible now; nothing was changed.
  /// Returns the revision it will have.
  Result<Revision> propose(NewEvent event);

  /// Writes what was proposed, durably. After an error the record must not be used any more: the
  /// state has events that the log does not.
  Status commit();

  /// Proposes to record what the events that are written add up to, so that a later fold that
  /// differs is noticed. Proposes nothing where nothing was written since the last one. The state
  /// is folded from the log and not taken from `state()`, whose times are those of the proposals.
  Status propose_digest();

  /// So many events were written since the last digest that another one is due.
  bool digest_due() const;

  /// Stores a text for an event to refer to; durable with the commit of that event.
  Result<std::unique_ptr<schema::BlobRef>> put_text(std::string_view text,
                                                    schema::BlobKind kind = schema::BlobKind::text);

  schema::Digest keyed_digest(std::string_view text) const { return journal_->keyed_digest(text); }

  const RunState& state() const { return state_; }
  const planners::Marks& marks() const { return marks_; }
  /// Of a run that has events already: a run that was resumed or changed begins with these.
  void restore_marks(planners::Marks marks) { marks_ = std::move(marks); }
  const std::string& run_id() const { return run_id_; }
  Log& log() { return *log_; }
  /// Nanoseconds since 1970, by the clock the events are stamped with.
  std::uint64_t wall_ns() const { return journal_->wall_ns(); }
  bool has_pending() const { return !pending_.empty(); }
  /// Whether an event of this type is proposed and not yet written.
  bool is_pending(schema::Payload type) const;

 private:
  Log* log_ = nullptr;
  std::unique_ptr<Journal> journal_;
  std::string run_id_;
  RunState state_;
  planners::Marks marks_;
  std::vector<NewEvent> pending_;
  RunState written_;  ///< folded from the log, as far as the last digest
};

/// The marks of the run as its log has it.
Result<planners::Marks> read_marks(Log& log, const std::string& run_id);

}  // namespace pievt::supervisor
