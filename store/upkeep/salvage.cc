// Saving what can be saved of a damaged store, into a new one. The old one is only read: its files
// are evidence, and the next attempt may know more.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "pievt/upkeep.h"
#include "store/log/writer_lock.h"
#include "store/trust/salvaged_note.h"
#include "store/upkeep/account.h"
#include "store/upkeep/place.h"
#include "store/upkeep/reassembly.h"
#include "store/upkeep/remains.h"
#include "store/upkeep/stage.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

constexpr const char* stage_marker = "SALVAGING";

// Whether the stage is free, or what an earlier salvage left: it has the marker, or, where there
// was no room for one, what was to become it.
Status check_salvage_stage(const fs::path& stage) {
  if (PIEVT_TRY(is_vacant(stage)) || PIEVT_TRY(is_there(stage / stage_marker))) return {};
  std::error_code failed;
  for (fs::directory_iterator at(stage, failed), end; !failed && at != end; at.increment(failed)) {
    const bool ours = is_lock_file(at->path()) || is_unfinished_file(at->path(), stage_marker);
    if (ours) continue;
    return Error{Errc::invalid, fmt::format("{} is in the way and not what a salvage left; move it "
                                            "away",
                                            stage.string())};
  }
  if (failed) return os_error(fmt::format("cannot read {}", stage.string()), failed.value());
  return {};
}

Status check_nobody_writes(const fs::path& store) {
  const auto owner = WriterLock::current_owner(store);
  if (!owner) return {};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return Error{Errc::busy,
               busy_sentence(store, owner,
                             std::chrono::duration_cast<std::chrono::nanoseconds>(now).count())};
}

// For people who come across the store later. What counts of events is in the log.
std::string account_of(const SalvageReport& report, const fs::path& from) {
  std::string text = fmt::format("This store was salvaged from {}.\n", from.string());
  for (const LostEvents& range : report.lost)
    text += fmt::format("lost: @{} to @{}\n", range.first.value, range.last.value);
  for (const LostRevisions& part : report.streams)
    text += fmt::format("lost of {}: #{} to #{}\n", part.stream, part.first.value, part.last.value);
  for (const std::string& damage : report.damage) text += fmt::format("damage: {}\n", damage);
  return text + account_of_texts(report.copy);
}

bool found_damage(const SalvageReport& report) {
  return !report.lost.empty() || !report.damage.empty() || report.copy.bodies_damaged > 0;
}

Result<SalvageReport> salvage_into(const fs::path& from, const fs::path& stage,
                                   const UpkeepProgress& progress) {
  Rocks found = PIEVT_TRY(Rocks::open_writer(stage / "found", Rocks::Create::if_missing));
  const Remains remains = PIEVT_TRY(Remains::gather(from, found));
  PIEVT_TRY(write_identity(stage, remains.identity()));
  Rocks rocks = PIEVT_TRY(Rocks::open_writer(log_directory(stage), Rocks::Create::if_missing));
  Reassembly log(remains, found, rocks);
  PIEVT_TRY(log.run(progress));
  if (log.copy().pages == 0) {
    return Error{Errc::corrupt, fmt::format("no page of the log is left in {}", from.string())};
  }
  SalvageReport report;
  report.store_id = remains.identity().id;
  report.copy = log.copy();
  report.lost = log.lost();
  for (const LostEvents& range : report.lost)
    report.events_lost += range.last.value - range.first.value + 1;
  report.streams = log.lost_revisions();
  report.unrepeatable = log.unrepeatable();
  report.damage = remains.notes();
  report.damage.insert(report.damage.end(), log.notes().begin(), log.notes().end());
  PIEVT_TRY(rocks.close());
  return report;
}

Result<SalvageReport> salvage_in(const Stage& stage, const fs::path& from, const fs::path& to,
                                 const CopyOptions& options) {
  // Once more: it may have been finished while the stage was waited for.
  PIEVT_TRY(check_vacant(to));
  PIEVT_TRY(stage.clear());
  const fs::path& place = stage.path();
  PIEVT_TRY(
      write_file_atomically(place / stage_marker, "unfinished; pievt salvage begins anew\n", 0600));
  SalvageReport report = PIEVT_TRY(salvage_into(from, place, options.progress));
  if (options.preview == Preview::yes) return report;
  PIEVT_TRY(remove_directory(place / "found"));
  if (found_damage(report))
    PIEVT_TRY(write_file_atomically(place / salvaged_file, account_of(report, from), 0600));
  PIEVT_TRY(remove_durably(place / stage_marker));
  PIEVT_TRY(stage.publish(to));
  return report;
}

}  // namespace

Result<SalvageReport> salvage(const fs::path& from, const fs::path& to,
                              const CopyOptions& options) {
  if (!PIEVT_TRY(is_there(log_directory(from)))) {
    return Error{Errc::not_found,
                 fmt::format("{} has no log, so there is nothing to be saved", from.string())};
  }
  PIEVT_TRY(check_nobody_writes(from));
  PIEVT_TRY(check_apart(from, to));
  PIEVT_TRY(check_vacant(to));
  const fs::path place = stage_of(to, "salvaging");
  PIEVT_TRY(check_salvage_stage(place));
  const Stage stage = PIEVT_TRY(Stage::take(place, "pievt salvage"));
  PIEVT_TRY(check_salvage_stage(place));
  Result<SalvageReport> report = salvage_in(stage, from, to, options);
  if (!report.ok()) {
    // What failed is the answer, also where not even the stage could be removed.
    static_cast<void>(stage.remove());
  } else if (options.preview == Preview::yes) {
    PIEVT_TRY(stage.remove());
  }
  return report;
}

}  // namespace pievt
