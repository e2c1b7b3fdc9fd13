// Finding runs by the words people use for them, and keeping the saved states fresh.
#include "pievt/query.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "store/views/all.h"
#include "store/views/edit_distance.h"
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

// A name that `word` may have been meant to be, and how far it is away.
struct Near {
  std::string name;
  int distance = 0;
};

int tolerated(std::string_view word) {
  return std::clamp(static_cast<int>(word.size()) / 3, 1, 3);
}

// What begins like the word (two letters and more), else what is, or begins like something that is,
// a few slips of the fingers away: at most a third of it, and never more than three.
std::optional<int> distance_to(std::string_view word, std::string_view name) {
  constexpr std::size_t name_max = 64;  // the table of an edit distance is quadratic
  if (name.empty() || word.empty() || name.size() > name_max || word.size() > name_max)
    return std::nullopt;
  if (word.size() >= 2 && name.starts_with(word)) return 0;
  const int distance = edit_distance(word, name);
  if (distance <= tolerated(name)) return distance;
  // Prefixes name runs, too.
  if (word.size() < 3 || word.size() >= name.size()) return std::nullopt;
  const int of_prefix = edit_distance(word, name.substr(0, word.size()));
  return of_prefix <= tolerated(word) ? std::optional(of_prefix) : std::nullopt;
}

Error no_such_run(const RunList& runs, std::string_view word) {
  constexpr std::size_t most = 3;
  if (runs.runs.empty())
    return {Errc::not_found, fmt::format("no run `{}`: this store has no runs", word)};
  std::vector<Near> near;
  const auto offer = [&](const std::string& name, std::optional<int> distance) {
    if (distance && std::ranges::find(near, name, &Near::name) == near.end())
      near.push_back({name, *distance});
  };
  // The latest first: of equals they are meant more often.
  for (const auto& run : runs.runs | std::views::reverse) {
    const auto whole = distance_to(word, run->run_id);
    offer(run->run_id, whole ? whole : distance_to(word, tail(run->run_id)));
    offer(run->name, distance_to(word, run->name));
  }
  std::ranges::stable_sort(near, {}, &Near::distance);
  near.resize(std::min(near.size(), most));
  if (near.empty())
    return {Errc::not_found,
            fmt::format("no run `{}`, and none with a name like it; pievt runs lists them", word)};
  std::vector<std::string> names;
  for (const Near& each : near) names.push_back(each.name);
  return {Errc::not_found, fmt::format("no run `{}`; nearest: {}", word, fmt::join(names, ", "))};
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
