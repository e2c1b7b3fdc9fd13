// Saving what can be saved of a damaged store, into a new one. The old one is only read: its files
// are evidence, and the next attempt may know more.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "pievt/upkeep.h"
#include "store/log/writer_lock.h"
#include "store/upkeep/place.h"
#include "store/upkeep/reassembly.h"
#include "store/upkeep/remains.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

constexpr const char* stage_marker = "SALVAGING";

// An empty stage with its marker. What an earlier salvage left there is made anew.
Status prepare_stage(const fs::path& stage) {
  std::error_code failed;
  if (!PIEVT_TRY(is_vacant(stage))) {
    if (!fs::exists(stage / stage_marker, failed)) {
      return Error{Errc::invalid, fmt::format("{} is in the way and not what a salvage left; move "
                                              "it away",
                                              stage.string())};
    }
    PIEVT_TRY(remove_directory(stage));
  }
  PIEVT_TRY(make_directory(stage));
  return write_file_atomically(stage / stage_marker, "unfinished; pievt salvage begins anew\n",
                               0600);
}

Status check_nobody_writes(const fs::path& store) {
  const auto owner = WriterLock::current_owner(store);
  if (!owner) return {};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return Error{Errc::busy,
               busy_sentence(store, owner,
                             std::chrono::duration_cast<std::chrono::nanoseconds>(now).count())};
}

// For people who come across the store later. What counts is in the log.
std::string account_of(const SalvageReport& report, const fs::path& from) {
  std::string text = fmt::format("This store was salvaged from {}.\n", from.string());
  for (const LostEvents& range : report.lost)
    text += fmt::format("lost: @{} to @{}\n", range.first.value, range.last.value);
  for (const LostRevisions& part : report.streams)
    text += fmt::format("lost of {}: #{} to #{}\n", part.stream, part.first.value, part.last.value);
  for (const std::string& damage : report.damage) text += fmt::format("damage: {}\n", damage);
  return text;
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

}  // namespace

Result<SalvageReport> salvage(const fs::path& from, const fs::path& to,
                              const CopyOptions& options) {
  std::error_code failed;
  if (!fs::exists(log_directory(from), failed)) {
    return Error{Errc::not_found,
                 fmt::format("{} has no log, so there is nothing to be saved", from.string())};
  }
  PIEVT_TRY(check_nobody_writes(from));
  PIEVT_TRY(check_apart(from, to));
  PIEVT_TRY(check_vacant(to));
  const fs::path stage = stage_of(to, "salvaging");
  PIEVT_TRY(prepare_stage(stage));
  Result<SalvageReport> report = salvage_into(from, stage, options.progress);
  if (!report.ok() || options.preview == Preview::yes) {
    PIEVT_TRY(remove_directory(stage));
    return report;
  }
  PIEVT_TRY(remove_directory(stage / "found"));
  if (!report->lost.empty() || !report->damage.empty())
    PIEVT_TRY(write_file_atomically(stage / "SALVAGED", account_of(*report, from), 0600));
  PIEVT_TRY(remove_durably(stage / stage_marker));
  PIEVT_TRY(publish_stage(stage, to));
  return report;
}

}  // namespace pievt
