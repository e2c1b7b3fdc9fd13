#include "supervisor/record/journal.h"

#include "pievt/query.h"
#include "supervisor/record/clock.h"

namespace pievt::supervisor {
namespace {

// Where another process writes the store, and hangs: children work on meanwhile, and to give up
// would leave them alone.
constexpr std::chrono::minutes patience{5};

}  // namespace

Status LogJournal::append(const std::string& run, Revision after, std::vector<NewEvent> events) {
  PIEVT_TRY(log_->append(run_stream(run), Expected::exactly(after), std::move(events),
                         {.id = {}, .durability = Durability::fsync, .wait = patience}));
  return {};
}

Result<schema::BlobRef> LogJournal::put_text(std::string_view text, schema::BlobKind kind) {
  return log_->put_blob(text, kind);
}

schema::Digest LogJournal::keyed_digest(std::string_view text) const {
  return log_->keyed_digest(text);
}

std::uint64_t LogJournal::wall_ns() const {
  return wall_now_ns();
}

std::uint64_t LogJournal::boot_ns() const {
  return boot_now_ns();
}

}  // namespace pievt::supervisor
