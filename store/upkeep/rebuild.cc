// Everything that follows from the events, made again. The log is put together anew beside the old
// one and takes its place in one step, so a cut leaves either the old one or the new one.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/shell_word.h"
#include "pievt/upkeep.h"
#include "store/log/head.h"
#include "store/log/writer_lock.h"
#include "store/trust/salvaged_note.h"
#include "store/upkeep/account.h"
#include "store/upkeep/attempt_places.h"
#include "store/upkeep/place.h"
#include "store/upkeep/reassembly.h"
#include "store/upkeep/remains.h"
#include "store/upkeep/stage.h"
#include "store/upkeep/states.h"

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
                      "nothing was changed. Run: {}",
                      range.first.value, range.last.value, salvage_command(store))};
}

// The old log is all that is left of them, and a later attempt may know more.
Status check_texts(const fs::path& store, const CopyReport& copy) {
  if (copy.bodies_damaged == 0) return {};
  const BodyProblem* first = nullptr;
  for (const BodyProblem& problem : copy.problems)
    if (first == nullptr && problem.severity == Severity::damaged) first = &problem;
  return Error{Errc::corrupt,
               fmt::format("every event is there, and {} texts or chunks of output are damaged{}; "
                           "nothing was changed. Restore a backup, or save the others: {}",
                           copy.bodies_damaged,
                           first == nullptr || first->stream.empty()
                               ? ""
                               : fmt::format(", the first at #{} of {}", first->revision.value,
                                             first->stream),
                           salvage_command(store))};
}

// Of what is missing in a log that was damaged, the new one could not tell that it was not
// redacted.
Status note_lost_texts(const fs::path& store, const RebuildReport& report) {
  const std::string lost = account_of_texts(report.copy);
  if (report.damage.empty() || lost.empty()) return {};
  std::string text;
  if (PIEVT_TRY(is_there(store / salvaged_file)))
    text = PIEVT_TRY(read_small_file(store / salvaged_file));
  text += "The log of this store was damaged and was made anew.\n";
  for (const std::string& damage : report.damage) text += fmt::format("damage: {}\n", damage);
  return write_file_atomically(store / salvaged_file, text + lost, 0600);
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
    return Error{Errc::corrupt, fmt::format("{}; run: {}", log.notes().front(),
                                            store_command("verify --all", store))};
  PIEVT_TRY(check_texts(store, log.copy()));
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

// What is to be known before anything of the store is touched, its LOCK included.
Status check_rebuildable(const fs::path& store) {
  const fs::path log = log_directory(store);
  if (!PIEVT_TRY(is_there(log)))
    return Error{Errc::not_found, fmt::format("{} has no log; restore a backup", store.string())};
  const auto identity = read_identity(store);
  if (!identity.ok() && identity.error().code == Errc::too_new) return identity.error();
  std::error_code failed;
  if (!fs::is_symlink(fs::symlink_status(log, failed))) return {};
  const fs::path target = resolved(log);
  return Error{Errc::invalid,
               fmt::format("{} is a symbolic link: the new log would take the link's place, and "
                           "the old one would stay where it is. Move it here first: rm {} && mv "
                           "{} {}",
                           log.string(), shell_word(log), shell_word(target), shell_word(log))};
}

// A supervisor need not be the one who writes. It reads the log that would be replaced.
Status refuse_supervised(const fs::path& store) {
  const auto supervised = find_supervised(store);
  if (supervised.empty()) return {};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return Error{Errc::busy,
               supervised_sentence(supervised.front().run, supervised.front().supervisor,
                                   std::chrono::nanoseconds(now).count())};
}

bool can_be_written(const fs::path& store) {
  return ::faccessat(AT_FDCWD, store.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

// Where nobody can write, a preview is made elsewhere: an empty directory of our own.
Result<fs::path> make_place_elsewhere() {
  std::error_code failed;
  const fs::path parent = fs::temp_directory_path(failed);
  if (failed) return os_error("there is no directory for temporary files", failed.value());
  std::string name = (parent / "pievt-rebuild-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return os_error(fmt::format("cannot create a directory in {}", parent.string()), errno);
  return fs::path(name);
}

// Where the new log is made, and what keeps others away from there.
struct Workshop {
  fs::path place;
  std::optional<WriterLock> role;  ///< of who replaces the log
  std::optional<Stage> stage;      ///< of who only looks, beside whoever writes

  Status remove() const {
    PIEVT_TRY(remove_directory(place));
    return stage ? stage->remove() : Status();
  }
};

Result<Workshop> open_workshop(const fs::path& store, Preview preview) {
  Workshop shop;
  if (preview == Preview::yes && !can_be_written(store)) {
    shop.place = PIEVT_TRY(make_place_elsewhere());
    return shop;
  }
  if (preview == Preview::yes) {
    shop.stage.emplace(
        PIEVT_TRY(Stage::take(store / preview_directory, "pievt doctor --rebuild --dry-run")));
    PIEVT_TRY(shop.stage->clear());
    shop.place = shop.stage->path() / rebuild_directory;
  } else {
    shop.role.emplace(PIEVT_TRY(
        WriterLock::acquire(store, this_process("pievt doctor --rebuild"), brief_lock_wait)));
    PIEVT_TRY(refuse_supervised(store));
    shop.place = store / rebuild_directory;
    PIEVT_TRY(remove_directory(shop.place));
  }
  PIEVT_TRY(make_directory(shop.place));
  return shop;
}

Result<RebuildReport> rebuild_in(const fs::path& place, const fs::path& store,
                                 const CopyOptions& options) {
  const Made made = PIEVT_TRY(make_log(store, place, options.progress));
  RebuildReport report = made.report;
  PIEVT_TRY(make_states(place));
  {
    const Log log = PIEVT_TRY(Log::open(place, {.mode = OpenMode::read}));
    report.verified = PIEVT_TRY(verify(log));
  }
  if (options.preview == Preview::yes || report.verified.verdict == Verdict::damaged) return report;
  PIEVT_TRY(note_lost_texts(store, report));
  PIEVT_TRY(exchange(log_directory(store), log_directory(place)));
  PIEVT_TRY(renew_files(store, made));
  report.replaced = true;
  return report;
}

}  // namespace

Result<RebuildReport> rebuild(const fs::path& store, const CopyOptions& options) {
  PIEVT_TRY(check_rebuildable(store));
  const Workshop shop = PIEVT_TRY(open_workshop(store, options.preview));
  Result<RebuildReport> report = rebuild_in(shop.place, store, options);
  const Status removed = shop.remove();
  if (report.ok() && !removed.ok()) return removed.error();
  return report;
}

}  // namespace pievt
