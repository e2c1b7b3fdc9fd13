// Everything that follows from the events, made again. The log is put together anew beside the old
// one and takes its place in one step, so a cut leaves either the old one or the new one.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include <fcntl.h>

#include <fmt/format.h>

#include "pievt/upkeep.h"
#include "store/log/head.h"
#include "store/log/writer_lock.h"
#include "store/upkeep/place.h"
#include "store/upkeep/reassembly.h"
#include "store/upkeep/remains.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

Status exchange(const fs::path& one, const fs::path& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0)
    return os_error(fmt::format("cannot exchange {} and {}", one.string(), other.string()), errno);
  PIEVT_TRY(sync_directory(one.parent_path()));
  return sync_directory(other.parent_path());
}

Error lost_events(const fs::path& store, const LostEvents& range) {
  return {Errc::corrupt,
          fmt::format("events @{} to @{} are lost, and with them what could be made of them; "
                      "nothing was changed. Run: pievt salvage {} DEST",
                      range.first.value, range.last.value, store.string())};
}

struct Made {
  RebuildReport report;
  StoreIdentity identity;
  std::uint64_t epoch = 0;
};

// Makes the new log in `place`, a store of its own.
Result<Made> make_log(const fs::path& store, const fs::path& place,
                      const UpkeepProgress& progress) {
  Rocks found = PIEVT_TRY(Rocks::open_writer(place / "found", Rocks::Create::if_missing));
  const Remains remains = PIEVT_TRY(Remains::gather(store, found));
  PIEVT_TRY(write_identity(place, remains.identity()));
  Rocks rocks = PIEVT_TRY(Rocks::open_writer(log_directory(place), Rocks::Create::if_missing));
  Reassembly log(remains, found, rocks);
  PIEVT_TRY(log.run(progress));
  if (!log.lost().empty()) return lost_events(store, log.lost().front());
  if (!log.notes().empty())
    return Error{Errc::corrupt, log.notes().front() + "; run: pievt verify --all"};
  Made made;
  made.report.copy = log.copy();
  made.report.unrepeatable = log.unrepeatable();
  made.report.damage = remains.notes();
  made.identity = remains.identity();
  const auto last = PIEVT_TRY(load_last_page(rocks));
  if (!last) return Error{Errc::corrupt, fmt::format("no page is left in {}", store.string())};
  made.epoch = last->view().header->epoch;
  PIEVT_TRY(rocks.close());
  return made;
}

// STORE and HEAD follow from the log too: both are written where they are not what they should be.
Status renew_files(const fs::path& store, const Made& made) {
  if (const auto there = read_identity(store); !there.ok() || there->id != made.identity.id)
    PIEVT_TRY(write_identity(store, made.identity));
  HeadWriter head = PIEVT_TRY(
      HeadWriter::open(store, made.identity.bytes(), std::max<std::uint64_t>(made.epoch, 1)));
  PIEVT_TRY(head.publish(made.report.copy.head.value));
  std::error_code failed;
  fs::remove(store / damage_marker, failed);
  if (failed) return os_error("cannot remove DAMAGED", failed.value());
  return sync_directory(store);
}

}  // namespace

Result<RebuildReport> rebuild(const fs::path& store, const CopyOptions& options) {
  std::error_code failed;
  if (!fs::exists(log_directory(store), failed)) {
    return Error{Errc::not_found, fmt::format("{} has no log; restore a backup", store.string())};
  }
  const WriterLock lock = PIEVT_TRY(
      WriterLock::acquire(store, this_process("pievt doctor --rebuild"), brief_lock_wait));
  const fs::path place = store / rebuild_directory;
  PIEVT_TRY(remove_directory(place));
  PIEVT_TRY(make_directory(place));
  Result<Made> made = make_log(store, place, options.progress);
  if (!made.ok()) {
    PIEVT_TRY(remove_directory(place));
    return made.error();
  }
  RebuildReport report = made->report;
  {
    const Log log = PIEVT_TRY(Log::open(place, {.mode = OpenMode::read}));
    report.verified = PIEVT_TRY(verify(log));
  }
  if (options.preview == Preview::no && report.verified.verdict != Verdict::damaged) {
    PIEVT_TRY(exchange(log_directory(store), log_directory(place)));
    PIEVT_TRY(renew_files(store, *made));
    report.replaced = true;
  }
  PIEVT_TRY(remove_directory(place));
  return report;
}

}  // namespace pievt
