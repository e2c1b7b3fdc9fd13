// Backup and restore. A backup is a store with a marker, so one way of copying serves both, and
// whatever reads a store reads a backup. Pages are copied through a reader and not file by file: a
// second process cannot take a checkpoint of a database that another one has open, and files of a
// living writer are torn, renamed and deleted while one copies them. A page is whole or not there.
#include <cerrno>
#include <cstdio>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/shell_word.h"
#include "pievt/upkeep.h"
#include "store/log/stream_table.h"
#include "store/trust/backup_marker.h"
#include "store/upkeep/copy.h"
#include "store/upkeep/place.h"
#include "store/upkeep/stage.h"
#include "store/upkeep/states.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

// Of a writer of the marker that was cut off before there was one.
bool is_unfinished_marker(const fs::path& file) {
  return is_unfinished_file(file, backup_marker);
}

bool holds_nothing_yet(const fs::path& directory) {
  std::error_code failed;
  fs::directory_iterator at(directory, failed), end;
  for (; !failed && at != end; at.increment(failed))
    if (!is_lock_file(at->path()) && !is_unfinished_marker(at->path())) return false;
  return !failed;
}

Status remove_unfinished_markers(const fs::path& directory) {
  std::error_code failed;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed))
    if (is_unfinished_marker(at->path())) PIEVT_TRY(remove_durably(at->path()));
  return {};
}

// Whether `to` can be (or already is) the backup of `identity`.
Status check_backup_place(const fs::path& to, const StoreIdentity& identity) {
  if (PIEVT_TRY(is_vacant(to))) return {};
  const auto marker = PIEVT_TRY(read_backup_marker(to));
  if (!marker) {
    if (holds_nothing_yet(to)) return {};
    return Error{Errc::invalid,
                 fmt::format("{} is there and is not a backup; name an empty or a new directory",
                             to.string())};
  }
  if (marker->store_id != identity.id) {
    return Error{Errc::conflict,
                 fmt::format("{} is the backup of another store than {}; name another directory",
                             to.string(), identity.id)};
  }
  return {};
}

// Whether `stage` is free, or what an earlier restore of the same store left.
Status check_stage(const fs::path& stage, const StoreIdentity& identity) {
  const Result<StoreIdentity> there = read_identity(stage);
  if (there.ok() && there->id == identity.id) return {};
  return check_backup_place(stage, identity);
}

enum class Broken : bool { refuse, begin_again };

// The log of a copy. A power cut can leave the name of one whose files are not there; what was on
// its way to be a store, and is still whole where it comes from, is then begun again.
Result<Rocks> open_copy(const fs::path& directory, Broken broken) {
  Result<Rocks> opened = Rocks::open_writer(directory, Rocks::Create::if_missing);
  if (opened.ok() || broken == Broken::refuse) return opened;
  const Errc code = opened.error().code;
  if (code != Errc::io && code != Errc::corrupt && code != Errc::not_found) return opened;
  PIEVT_TRY(remove_directory(directory));
  return Rocks::open_writer(directory, Rocks::Create::if_missing);
}

// Where the copy of `from` must end to be one: where `from` ends, or, where that is itself a backup
// that was cut off, where that should.
Sequence goal_of(const Log& from) {
  return unfinished_backup(from.info().directory, from.head()).value_or(from.head());
}

// Makes or goes on with a copy of `from` in the stage, which bears the marker meanwhile.
Result<CopyReport> copy_store(const Log& from, const Stage& stage, Broken broken,
                              const UpkeepProgress& progress) {
  const StoreIdentity& identity = from.impl().place.identity;
  const fs::path& to = stage.path();
  PIEVT_TRY(remove_unfinished_markers(to));
  // The marker first: whatever else is there then, it is a backup and not a store.
  PIEVT_TRY(write_file_atomically(to / backup_marker, to_text({identity.id, goal_of(from)}), 0600));
  PIEVT_TRY(write_identity(to, identity));
  Rocks rocks = PIEVT_TRY(open_copy(log_directory(to), broken));
  PIEVT_TRY(sync_directory(to));
  const Rocks& source = from.impl().rocks();
  const auto id_entry = [&source](std::string_view key) {
    const auto entry = source.get(Family::ids, key);
    return entry.ok() ? *entry : std::nullopt;
  };
  const auto stream_name = [&source](std::uint32_t stream) {
    const auto name = name_of_stream(source, stream);
    return name.ok() ? std::optional(*name) : std::nullopt;
  };
  CopyTarget target(&rocks, Preview::no, {id_entry, stream_name});
  Result<CopyReport> report = copy_log(from, &rocks, target, progress);
  PIEVT_TRY(rocks.close());
  return report;
}

Result<CopyReport> preview_copy(const Log& from, const fs::path& to) {
  std::optional<Rocks> have;
  if (PIEVT_TRY(is_there(log_directory(to) / "CURRENT")))
    have.emplace(PIEVT_TRY(Rocks::open_reader(log_directory(to))));
  CopyTarget target(have ? &*have : nullptr, Preview::yes, {});
  return copy_log(from, have ? &*have : nullptr, target, {});
}

Status check_source(const Log& from) {
  const LogInfo info = from.info();
  if (info.missing == 0) return {};
  return Error{Errc::corrupt,
               fmt::format("{} has lost its last {} events, which had been acknowledged; run: {}",
                           info.directory.string(), info.missing, salvage_command(info.directory))};
}

// The copy that is put in place, in a stage that is held until it has its name.
Status restore_in(const Stage& stage, const Log& source, const fs::path& to,
                  const RestoreOptions& options, RestoreReport& report) {
  PIEVT_TRY(check_stage(stage.path(), source.impl().place.identity));
  report.copy = PIEVT_TRY(copy_store(source, stage, Broken::begin_again, options.progress));
  PIEVT_TRY(make_states(stage.path()));
  if (options.verification == Verification::yes) {
    const Log copy = PIEVT_TRY(Log::open(stage.path(), {.mode = OpenMode::read}));
    report.verified = PIEVT_TRY(verify(copy, {.run = {}, .progress = options.verify_progress}));
    if (report.verified->verdict == Verdict::damaged) return {};
  }
  // Without the marker it is a store; cut off here, the stage is still known by its id.
  PIEVT_TRY(remove_durably(stage.path() / backup_marker));
  PIEVT_TRY(stage.publish(to));
  report.restored = true;
  return {};
}

}  // namespace

Result<CopyReport> backup(const Log& from, const fs::path& to, const CopyOptions& options) {
  PIEVT_TRY(check_source(from));
  PIEVT_TRY(check_apart(from.info().directory, to));
  const StoreIdentity& identity = from.impl().place.identity;
  PIEVT_TRY(check_backup_place(to, identity));
  if (options.preview == Preview::yes) return preview_copy(from, to);
  const Stage place = PIEVT_TRY(Stage::take(resolved(to), "pievt backup"));
  PIEVT_TRY(check_backup_place(place.path(), identity));
  return copy_store(from, place, Broken::refuse, options.progress);
}

Result<RestoreReport> restore(const fs::path& from, const fs::path& to,
                              const RestoreOptions& options) {
  const Log source = PIEVT_TRY(Log::open(from, {.mode = OpenMode::read}));
  PIEVT_TRY(check_source(source));
  PIEVT_TRY(check_apart(from, to));
  PIEVT_TRY(check_vacant(to));
  RestoreReport report;
  report.stage = stage_of(to, "restoring");
  report.unfinished = unfinished_backup(from, source.head());
  PIEVT_TRY(check_stage(report.stage, source.impl().place.identity));
  if (options.preview == Preview::yes) {
    report.copy = PIEVT_TRY(preview_copy(source, report.stage));
    return report;
  }
  const Stage stage = PIEVT_TRY(Stage::take(report.stage, "pievt restore"));
  // Once more: it may have been finished while the stage was waited for.
  if (Status free = check_vacant(to); !free.ok()) {
    if (PIEVT_TRY(stage.is_new())) PIEVT_TRY(stage.remove());
    return free.error();
  }
  if (const Status done = restore_in(stage, source, to, options, report); !done.ok()) {
    return Error{done.error().code,
                 fmt::format("{}. What was copied so far is in {}, and the same command goes on "
                             "with it",
                             done.error().what, report.stage.string())};
  }
  return report;
}

}  // namespace pievt
