#include "store/log/beginning.h"

#include <fmt/format.h>

#include "pievt/shell_word.h"
#include "store/log/head.h"
#include "store/log/store_files.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

}  // namespace

Result<bool> log_is_new(const StorePlace& place) {
  const fs::path log = log_directory(place.directory);
  std::error_code failed;
  if (fs::exists(log / "CURRENT", failed)) return false;
  if (const std::size_t files = files_with_events(log); files > 0) {
    return Error{
        Errc::corrupt,
        fmt::format("{} has {} files with events, and CURRENT, which names them, is gone. "
                    "Bring them back: {}",
                    log.string(), files, store_command("doctor --rebuild", place.directory))};
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
