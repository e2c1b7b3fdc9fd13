// Opening a store, and mending what can be mended: the one place where the log needs upkeep.
//
// The pages are the truth and everything else can be made from them, so a damaged index is no
// reason to refuse. Nothing is mended in place: rebuild() puts a log together anew, verifies it,
// and only then gives it the place of the old one; where events are lost it changes nothing, and
// the answer is what had been found, and what to run. Nor is anything done without being asked
// where bytes of the write-ahead log cannot be read (whether events were in them, nobody knows), or
// where texts are missing: they may have gone with the damage, and then a backup has them.
#include <fmt/format.h>

#include "pievt/log.h"
#include "pievt/shell_word.h"
#include "pievt/upkeep.h"
#include "store/log/log_impl.h"
#include "store/upkeep/place.h"
#include "store/upkeep/ruins.h"

namespace pievt {
namespace {

Error both(const Error& found, std::string_view why_not) {
  return {Errc::corrupt,
          fmt::format("{}. It cannot be made from the events: {}", found.what, why_not)};
}

Status check_write_ahead_logs(const std::filesystem::path& directory) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    if (entry.path().extension() != ".log") continue;
    const LogFileSink nowhere{[](std::string_view) {}, [](std::string_view) {}};
    const auto damage = PIEVT_TRY(read_log_file(entry.path(), nowhere));
    if (damage.bytes_skipped == 0) continue;
    return Error{Errc::corrupt,
                 fmt::format("{} bytes of {} cannot be read, and events may have been in them; "
                             "nothing was changed. Run: {}",
                             damage.bytes_skipped, entry.path().filename().string(),
                             salvage_command(directory.parent_path()))};
  }
  return {};
}

// busy: somebody else had the same idea. Of a preview nothing remains, so what is missing is known
// before the old log is given up.
Result<RebuildReport> rebuild_without_loss(const std::filesystem::path& store) {
  PIEVT_TRY(check_write_ahead_logs(log_directory(store)));
  // Whoever has the store now mends it, or has done so.
  if (WriterLock::current_owner(store))
    return Error{Errc::busy, fmt::format("{} is being written", store.string())};
  const CopyOptions looking{.preview = Preview::yes, .progress = {}};
  const RebuildReport preview = PIEVT_TRY(rebuild(store, looking));
  if (preview.copy.bodies_missing > 0) {
    return Error{
        Errc::corrupt,
        fmt::format("{} texts that events refer to are missing; nothing was changed. "
                    "Restore a backup, or go on without them: {}",
                    preview.copy.bodies_missing, store_command("doctor --rebuild", store))};
  }
  return rebuild(store);
}

}  // namespace

std::string mended(const Log& log) {
  return log.impl().mended;
}

Result<Log> Log::open(const std::filesystem::path& directory, const OpenOptions& options) {
  Result<Log> opened = Impl::open(directory, options);
  if (opened.ok() || options.mode == OpenMode::read) return opened;
  const Error found = opened.error();
  if (found.code != Errc::corrupt) return opened;
  // Without STORE it is not certain whose log this is; then somebody has to look.
  if (!read_identity(directory).ok()) return opened;
  const Result<RebuildReport> rebuilt = rebuild_without_loss(directory);
  if (!rebuilt.ok()) {
    if (rebuilt.error().code == Errc::busy) return Impl::open(directory, options);
    // Where no log is left, what was found says more than that.
    if (rebuilt.error().code == Errc::not_found) return found;
    if (rebuilt.error().code != Errc::corrupt) return rebuilt.error();
    return both(found, rebuilt.error().what);
  }
  if (!rebuilt->replaced) return both(found, "run: " + store_command("verify --all", directory));
  opened = Impl::open(directory, options);
  if (opened.ok()) {
    opened->impl().mended = fmt::format("{} (this has been done: all {} events are there)",
                                        found.what, rebuilt->copy.head.value);
  }
  return opened;
}

}  // namespace pievt
