#include "supervisor/record/run_record.h"

#include "supervisor/record/clock.h"

namespace pievt::supervisor {
namespace {

// Where another process writes the store, and hangs: children work on meanwhile, and to give up
// would leave them alone.
constexpr std::chrono::minutes patience{5};

}  // namespace

Result<Revision> RunRecord::propose(NewEvent event) {
  PIEVT_TRY(check(state_, event));
  const Revision revision{state_.revision + 1};
  apply_new(state_, event, revision, wall_now_ns(), boot_now_ns());
  pending_.push_back(std::move(event));
  return revision;
}

Status RunRecord::commit() {
  if (pending_.empty()) return {};
  const Revision before{state_.revision - pending_.size()};
  std::vector<NewEvent> events = std::move(pending_);
  pending_.clear();
  PIEVT_TRY(log_->append(run_stream(run_id_), Expected::exactly(before), std::move(events),
                         {.id = {}, .durability = Durability::fsync, .wait = patience}));
  return {};
}

Result<std::unique_ptr<schema::BlobRef>> RunRecord::put_text(std::string_view text,
                                                             schema::BlobKind kind) {
  return std::make_unique<schema::BlobRef>(PIEVT_TRY(log_->put_blob(text, kind)));
}

}  // namespace pievt::supervisor
