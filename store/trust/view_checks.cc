#include "store/trust/view_checks.h"

#include <algorithm>
#include <set>

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

// The names of saved states that begin so.
std::vector<std::string> ViewChecks::saved_names(std::string_view prefix) {
  std::vector<std::string> names;
  auto cursor = log_->impl().rocks().cursor(Family::projections, Rocks::Fill::scan);
  for (cursor.seek(prefix); cursor.valid() && cursor.key().starts_with(prefix); cursor.next()) {
    names.emplace_back(cursor.key());
  }
  if (const Status status = cursor.status(); !status.ok()) {
    findings_->damaged(Check::views, {}, status.error().what);
  }
  return names;
}

void ViewChecks::begin(std::string_view run) {
  if (!run.empty()) return begin_run(run);
  for (const ViewRow& row : all_views) {
    if (const auto saved = saved_state(std::string(row.name))) {
      auto projection = row.make();
      if (saved->identity == projection->identity()) {
        views_.push_back({std::string(row.name), std::move(projection), saved->at});
      }
    }
  }
  std::set<std::string> ids;
  for (const std::string& prefix :
       {run_view_name(""), run_milestone_prefix(""), run_clock_name("")}) {
    for (const std::string& name : saved_names(prefix)) {
      ids.insert(name.substr(prefix.size(), name.find('@') - prefix.size()));
    }
  }
  for (const std::string& id : ids) begin_run(id);
}

void ViewChecks::begin_run(std::string_view run_id) {
  Run run{.id = std::string(run_id)};
  std::vector<std::string> names = saved_names(run_milestone_prefix(run_id) + "@");
  names.push_back(run_view_name(run_id));
  for (std::string& name : names) {
    // A state of another version of the program is never used, so it cannot mislead anybody.
    const auto saved = saved_state(name);
    if (saved && saved->identity == run_view_identity())
      run.states.emplace(saved->at.value, std::move(name));
  }
  const auto clock = saved_state(run_clock_name(run_id));
  if (clock && clock->identity == run_clock_identity) {
    run.clock = run_clock_name(run_id);
    run.clock_at = {clock->at.value};
  }
  if (run.done()) return;
  const std::string stream_name = run_stream(run_id);
  const auto stream = find_stream(log_->impl().rocks(), stream_name);
  if (!stream.ok()) return findings_->damaged(Check::views, {}, stream.error().what);
  if (!*stream) {
    return findings_->damaged(
        Check::views, {.page = {}, .sequence = {}, .stream = stream_name},
        fmt::format("a state of {} is saved, which has no events", stream_name));
  }
  runs_.emplace((*stream)->number, std::move(run));
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
  check_run(run->second, event);
  if (run->second.done()) runs_.erase(run);
}

void ViewChecks::check_run(Run& run, const EventView& event) {
  const Place place{{}, event.sequence, run_stream(run.id), event.revision()};
  apply(run.state, event);
  while (!run.states.empty() && run.states.begin()->first <= event.revision().value) {
    compare(run.states.begin()->second, to_bytes(run.state), place);
    run.states.erase(run.states.begin());
  }
  if (run.clock.empty()) return;
  run.read_clock.event(event.revision(), event.time_ns());
  if (event.revision() < run.clock_at) return;
  compare(run.clock, run.read_clock.to_bytes(), place);
  run.clock.clear();
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
  const auto beyond = [&](const Run& run, const std::string& name, Revision at) {
    findings_->damaged(
        Check::views, {{}, {}, run_stream(run.id), at},
        fmt::format("the saved state `{}` is of #{}, after the run's end", name, at.value));
  };
  for (const auto& [number, run] : runs_) {
    for (const auto& [at, name] : run.states) beyond(run, name, {at});
    if (!run.clock.empty()) beyond(run, run.clock, run.clock_at);
  }
}

}  // namespace pievt
