// Finding runs by the words people use for them, and keeping the saved states fresh.
#include "pievt/query.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "store/views/all.h"
#include "store/views/run_list.h"
#include "store/views/run_view.h"

namespace pievt {
namespace {

std::string_view tail(std::string_view run_id) {
  return run_id.substr(run_id.find_last_of('-') + 1);
}

Result<std::string> nth_from_end(std::vector<const RunSummary*> runs, std::size_t back,
                                 std::string_view word) {
  if (runs.empty())
    return Error{Errc::not_found,
                 "there is no run in this store yet; start one with: pievt run PLAN"};
  if (back >= runs.size()) {
    return Error{Errc::not_found,
                 fmt::format("`{}` goes back {} runs, and there are {}", word, back, runs.size())};
  }
  return runs[runs.size() - 1 - back]->run_id;
}

template <class Keep>
std::vector<const RunSummary*> select(const RunList& runs, Keep keep) {
  std::vector<const RunSummary*> kept;
  for (const auto& run : runs.runs) {
    if (keep(*run)) kept.push_back(run.get());
  }
  return kept;
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

Error no_such_run(const RunList& runs, std::string_view word) {
  std::vector<std::string> near;
  std::vector<const RunSummary*> all = select(runs, [](const auto&) { return true; });
  std::ranges::stable_sort(all, std::greater(), [&](const RunSummary* run) {
    return std::max(common_prefix(run->run_id, word), common_prefix(tail(run->run_id), word));
  });
  for (const RunSummary* run : all) {
    if (near.size() < 3) near.push_back(run->run_id);
  }
  return {Errc::not_found,
          near.empty() ? fmt::format("no run `{}`: this store has no runs", word)
                       : fmt::format("no run `{}`; nearest: {}", word, fmt::join(near, ", "))};
}

}  // namespace

Result<std::string> resolve_run(const RunList& runs, std::string_view word) {
  const auto everything = [](const RunSummary&) { return true; };
  if (word == "last") return nth_from_end(select(runs, everything), 0, word);
  if (word.starts_with("last~")) {
    std::size_t back = 0;
    const auto [end, failed] = std::from_chars(word.data() + 5, word.data() + word.size(), back);
    if (failed != std::errc() || end != word.data() + word.size()) {
      return Error{
          Errc::invalid,
          fmt::format("`{}` is not a run; write last~1 for the one before the last", word)};
    }
    return nth_from_end(select(runs, everything), back, word);
  }
  if (word == "last:failed") {
    auto failed =
        select(runs, [](const RunSummary& run) { return run.ending == schema::RunEnding::failed; });
    if (failed.empty()) return Error{Errc::not_found, "no run of this store has failed"};
    return nth_from_end(std::move(failed), 0, word);
  }
  if (word == "running") {
    auto running =
        select(runs, [](const RunSummary& run) { return run.phase != state::RunPhase::finished; });
    if (running.empty()) return Error{Errc::not_found, "no run is running"};
    return nth_from_end(std::move(running), 0, word);
  }
  for (const auto& run : runs.runs) {
    if (run->run_id == word) return run->run_id;
  }
  const auto named =
      select(runs, [&](const RunSummary& run) { return !word.empty() && run.name == word; });
  if (!named.empty()) return named.back()->run_id;  // the latest run of that plan
  const auto matching = select(runs, [&](const RunSummary& run) {
    return !word.empty() && (run.run_id.starts_with(word) || tail(run.run_id).starts_with(word));
  });
  if (matching.size() == 1) return matching.front()->run_id;
  if (matching.empty()) return no_such_run(runs, word);
  std::vector<std::string> ids;
  for (const RunSummary* run : matching) ids.push_back(run->run_id);
  return Error{Errc::invalid, fmt::format("`{}` fits {} runs: {}; give more of it", word,
                                          ids.size(), fmt::join(ids, ", "))};
}

Result<RunList> load_runs(const Log& log, Sequence at) {
  RunListView view;
  PIEVT_TRY(catch_up(view, log, run_list_name, at));
  return std::move(view).take();
}

Status save_views(Log& log, std::string_view run_id) {
  for (const ViewRow& row : all_views) {
    const auto view = row.make();
    const Sequence at = PIEVT_TRY(catch_up(*view, log, row.name));
    PIEVT_TRY(save_projection(log, row.name, *view, at));
  }
  return run_id.empty() ? Status() : save_run(log, run_id);
}

}  // namespace pievt
