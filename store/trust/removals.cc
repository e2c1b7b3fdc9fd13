#include "store/trust/removals.h"

#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/log/blob_store.h"

namespace pievt {

void Removals::see(std::string_view stream, const EventView& event) {
  const auto* sealed = event.envelope->payload_as_RunSealed();
  // Only the store itself can say so; a run that came from elsewhere cannot.
  if (sealed == nullptr || stream != "store" || sealed->run_id() == nullptr) return;
  const std::string run = sealed->run_id()->str();
  if (!sealed->original_removed()) {
    runs_.erase(run);
    return;
  }
  RemovedRun& removed = runs_[run];
  removed.file = sealed->file() == nullptr ? "" : sealed->file()->str();
  removed.sha256 = sealed->digest() == nullptr ? "" : hex(from_schema(*sealed->digest()));
  removed.bytes = sealed->bytes();
  removed.events = sealed->events();
  removed.told = event.sequence;
}

const RemovedRun* Removals::find(std::string_view run) const {
  const auto found = runs_.find(run);
  return found == runs_.end() ? nullptr : &found->second;
}

std::string RemovedRun::sentence(const std::filesystem::path& store) const {
  const std::filesystem::path there = place(store);
  std::error_code failed;
  const std::uintmax_t now = std::filesystem::file_size(there, failed);
  std::string_view state;
  if (failed) {
    state = ", which is not there now";
  } else if (now != bytes) {
    state = ", which has another size now";
  }
  return fmt::format("removed after it was sealed into {}{}", there.string(), state);
}

}  // namespace pievt
