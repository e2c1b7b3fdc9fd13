#include "store/trust/view_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/query.h"
#include "store/log/stream_table.h"
#include "store/views/all.h"
#include "store/views/run_view.h"

namespace pievt {

// The state saved under `name`, if there is one. Readers pass over a damaged one without a word;
// here the word is said.
std::optional<Checkpoint> ViewChecks::saved_state(const std::string& name) {
  Result<std::optional<Checkpoint>> saved = log_->load_checkpoint(name);
  if (!saved.ok()) {
    findings_->damaged(Check::views, {}, saved.error().what);
    return std::nullopt;
  }
  const auto stored = log_->impl().rocks().get(Family::projections, name);
  if (!*saved && stored.ok() && *stored) {
    findings_->examined(Check::views);
    findings_->damaged(Check::views, {},
                       fmt::format("the saved state `{}` is damaged; it is not used, and is made "
                                   "anew by the next writer",
                                   name));
  }
  return std::move(*saved);
}

void ViewChecks::begin(std::string_view run) {
  if (!run.empty()) return begin_run(run_view_name(run));
  for (const ViewRow& row : all_views) {
    if (const auto saved = saved_state(std::string(row.name))) {
      auto projection = row.make();
      if (saved->identity == projection->identity()) {
        views_.push_back({std::string(row.name), std::move(projection), saved->at});
      }
    }
  }
  std::vector<std::string> names;
  auto cursor = log_->impl().rocks().cursor(Family::projections, Rocks::Fill::scan);
  for (cursor.seek("run/"); cursor.valid() && cursor.key().starts_with("run/"); cursor.next()) {
    names.emplace_back(cursor.key());
  }
  if (const Status status = cursor.status(); !status.ok()) {
    findings_->damaged(Check::views, {}, status.error().what);
  }
  for (const std::string& name : names) begin_run(name);
}

void ViewChecks::begin_run(const std::string& name) {
  const auto saved = saved_state(name);
  // A state of another version of the program is never used, so it cannot mislead anybody.
  if (!saved || saved->identity != run_view_identity()) return;
  // The states of runs are saved under the names of their streams.
  const auto stream = find_stream(log_->impl().rocks(), name);
  if (!stream.ok()) return findings_->damaged(Check::views, {}, stream.error().what);
  if (!*stream) {
    return findings_->damaged(Check::views, {.page = {}, .sequence = {}, .stream = name},
                              fmt::format("a state of {} is saved, which has no events", name));
  }
  runs_.emplace((*stream)->number, Run{name, {saved->at.value}, {}});
}

void ViewChecks::event(const EventView& event) {
  for (auto view = views_.begin(); view != views_.end();) {
    view->projection->apply(event);
    if (event.sequence < view->at) {
      ++view;
      continue;
    }
    compare(view->name, view->projection->save(), {.page = {}, .sequence = event.sequence});
    view = views_.erase(view);
  }
  const auto run = runs_.find(event.stamp->stream());
  if (run == runs_.end()) return;
  apply(run->second.state, event);
  if (event.revision() < run->second.at) return;
  compare(run->second.name, to_bytes(run->second.state),
          {{}, event.sequence, run->second.name, event.revision()});
  runs_.erase(run);
}

void ViewChecks::compare(const std::string& name, const std::vector<std::byte>& folded,
                         const Place& place) {
  findings_->examined(Check::views);
  const auto saved = log_->load_checkpoint(name);
  if (!saved.ok()) return findings_->damaged(Check::views, place, saved.error().what);
  if (*saved && (*saved)->state == folded) return;
  findings_->damaged(
      Check::views, place,
      fmt::format("the saved state `{}` differs from what its events add up to", name));
}

void ViewChecks::finish() {
  // Beside a living writer a state may be newer than what is promised to be on the disk.
  if (log_->info().writer_alive) return;
  for (const View& view : views_) {
    findings_->damaged(Check::views, {.page = {}, .sequence = view.at},
                       fmt::format("the saved state `{}` is of @{}, after the log's end", view.name,
                                   view.at.value));
  }
  for (const auto& [number, run] : runs_) {
    findings_->damaged(
        Check::views, {{}, {}, run.name, run.at},
        fmt::format("the saved state `{}` is of #{}, after the run's end", run.name, run.at.value));
  }
}

}  // namespace pievt
