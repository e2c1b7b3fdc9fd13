#include "supervisor/record/run_record.h"

#include <algorithm>

#include "store/views/run_view.h"

namespace pievt::supervisor {
namespace {

// A digest folds these events once more (about 1 us each) and hashes the state (1 ms for a thousand
// jobs).
constexpr std::uint64_t digest_every = 10'000;

}  // namespace

Result<Revision> RunRecord::propose(NewEvent event) {
  PIEVT_TRY(check(state_, event));
  const Revision revision{state_.revision + 1};
  const std::uint64_t now = journal_->wall_ns();
  planners::note(marks_, state_, event.payload.type(), event.subject, revision, now);
  apply_new(state_, event, revision, now, journal_->boot_ns());
  pending_.push_back(std::move(event));
  return revision;
}

Status RunRecord::commit() {
  if (pending_.empty()) return {};
  const Revision before{state_.revision - pending_.size()};
  std::vector<NewEvent> events = std::move(pending_);
  pending_.clear();
  return journal_->append(run_id_, before, std::move(events));
}

bool RunRecord::is_pending(schema::Payload type) const {
  return std::ranges::any_of(pending_,
                             [&](const NewEvent& event) { return event.payload.type() == type; });
}

bool RunRecord::digest_due() const {
  return log_ != nullptr && state_.revision - pending_.size() >= written_.revision + digest_every;
}

Status RunRecord::propose_digest() {
  const Revision last{state_.revision - pending_.size()};
  if (log_ == nullptr || last.value <= written_.revision) return {};
  PIEVT_TRY(log_->refresh());
  if (written_.revision == 0) {
    written_ = PIEVT_TRY(load_run(*log_, run_id_, last));
  } else {
    auto reader = log_->read_stream(run_stream(run_id_), {written_.revision + 1}, last);
    while (reader.next()) apply(written_, reader.event());
    PIEVT_TRY(reader.status());
  }
  // A shortcut for whoever looks on, and for the next supervisor if this one is killed. Without it
  // they fold; a disk that takes no more is told of by the next append.
  static_cast<void>(save_run(*log_, run_id_));
  schema::StateDigestRecordedT event;
  event.revision = written_.revision;
  event.digest = std::make_unique<schema::Digest>(digest_of(written_));
  event.identity = run_view_identity();
  PIEVT_TRY(propose({std::move(event)}));
  return {};
}

Result<std::unique_ptr<schema::BlobRef>> RunRecord::put_text(std::string_view text,
                                                             schema::BlobKind kind) {
  return std::make_unique<schema::BlobRef>(PIEVT_TRY(journal_->put_text(text, kind)));
}

Result<planners::Marks> read_marks(Log& log, const std::string& run_id) {
  planners::Marks marks;
  RunState run;
  auto reader = log.read_stream(run_stream(run_id), {1});
  while (reader.next()) {
    const EventView& event = reader.event();
    const schema::Head& head = event.head();
    planners::note(marks, run, event.type(), {.job = head.job(), .attempt = head.attempt()},
                   event.revision(), event.time_ns());
    apply(run, event);
  }
  PIEVT_TRY(reader.status());
  return marks;
}

}  // namespace pievt::supervisor
