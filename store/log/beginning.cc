#include "store/log/beginning.h"

#include <fmt/format.h>

#include "store/log/head.h"
#include "store/log/store_files.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

// RocksDB makes neither before CURRENT is on the disk.
bool may_hold_events(const fs::directory_entry& entry) {
  std::error_code failed;
  const fs::path kind = entry.path().extension();
  return (kind == ".sst" || kind == ".log") && entry.file_size(failed) > 0 && !failed;
}

std::size_t files_with_events(const fs::path& log) {
  std::size_t count = 0;
  std::error_code failed;
  for (fs::directory_iterator at(log, failed), end; !failed && at != end; at.increment(failed))
    if (may_hold_events(*at)) ++count;
  return count;
}

}  // namespace

Result<bool> log_is_new(const StorePlace& place) {
  const fs::path log = log_directory(place.directory);
  std::error_code failed;
  if (fs::exists(log / "CURRENT", failed)) return false;
  const std::string store = place.directory.string();
  if (const std::size_t files = files_with_events(log); files > 0) {
    return Error{Errc::corrupt,
                 fmt::format("{} has {} files with events, and CURRENT, which names them, is gone. "
                             "Bring them back: pievt doctor --rebuild --store {}",
                             log.string(), files, store)};
  }
  const Result<std::optional<HeadValue>> head = read_head(place.directory);
  const bool had_events =
      head.ok() && *head && (*head)->store_id == place.identity.bytes() && (*head)->committed > 0;
  if (!had_events) return true;
  return Error{Errc::corrupt,
               fmt::format("events up to @{} were in {}, and it is empty now. Is its disk mounted? "
                           "If not even that, restore a backup: pievt restore BACKUP DEST",
                           (*head)->committed, log.string())};
}

}  // namespace pievt
