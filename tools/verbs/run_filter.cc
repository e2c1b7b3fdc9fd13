#include "tools/verbs/run_filter.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tools/frame/moment.h"
#include "tools/frame/nearest.h"

namespace pievt::tools {
namespace {

constexpr std::array<std::string_view, 8> status_words = {
    "planned", "running", "paused", "stopping", "succeeded", "failed", "stopped", "interrupted"};

Error unknown_word(std::string_view option, std::string_view word,
                   std::span<const std::string_view> known) {
  const auto near = nearest(word, known);
  return {Errc::invalid, fmt::format("{}: there is no \"{}\"{}", option, word,
                                     near ? fmt::format("; did you mean {}?", *near) : "")};
}

std::uint64_t duration_of(const RunSummary& run) {
  const std::uint64_t end = run.finished_ns != 0 ? run.finished_ns : run.updated_ns;
  return run.started_ns != 0 && end > run.started_ns ? end - run.started_ns : 0;
}

bool contains(const auto& list, const auto& value) {
  return std::ranges::find(list, value) != list.end();
}

}  // namespace

Result<RunFilter> RunFilter::from(const Context& context, std::uint64_t now_ns) {
  const Arguments& given = context.arguments;
  RunFilter filter;
  filter.failed_ = given.has("--failed");
  filter.running_ = given.has("--running");
  filter.limit_ = given.number("--limit").value_or(UINT64_MAX);
  filter.models_ = given.all("--model");
  filter.order_ = given.text_or("--sort", "started");
  if (const auto since = given.text("--since")) {
    const std::int64_t when =
        PIEVT_TRY(parse_moment(*since, static_cast<std::int64_t>(now_ns), context.globals.zone));
    filter.since_ns_ = static_cast<std::uint64_t>(std::max<std::int64_t>(when, 0));
  }
  for (const std::string& word : given.all("--status")) {
    if (!contains(status_words, std::string_view(word)))
      return unknown_word("--status", word, status_words);
    filter.statuses_.push_back(word);
  }
  std::vector<std::string_view> known;
  for (const auto kind : schema::EnumValuesRunKind())
    known.push_back(schema::EnumNameRunKind(kind));
  for (const auto kind : schema::EnumValuesFailureKind())
    known.push_back(schema::EnumNameFailureKind(kind));
  for (const std::string& word : given.all("--kind")) {
    if (word == "provider") {
      filter.failures_.insert(filter.failures_.end(), provider_failures.begin(),
                              provider_failures.end());
      continue;
    }
    const auto found = std::ranges::find(known, word);
    if (found == known.end()) return unknown_word("--kind", word, known);
    const auto place = static_cast<std::size_t>(found - known.begin());
    const std::size_t kinds = std::size(schema::EnumValuesRunKind());
    if (place < kinds) {
      filter.kinds_.push_back(schema::EnumValuesRunKind()[place]);
    } else {
      filter.failures_.push_back(schema::EnumValuesFailureKind()[place - kinds]);
    }
  }
  return filter;
}

Result<bool> RunFilter::admits(const Log& log, const RunSummary& run,
                               const RunStatus& status) const {
  if (run.planned_ns < since_ns_) return false;
  const bool bad = status.word == "failed" || status.word == "interrupted";
  const bool goes_on = run.phase != state::RunPhase::finished && status.word != "interrupted";
  if ((failed_ || running_) && !((failed_ && bad) || (running_ && goes_on))) return false;
  if (!statuses_.empty() && !contains(statuses_, status.word)) return false;
  if (models_.empty() && kinds_.empty() && failures_.empty()) return true;
  const bool kind_fits = contains(kinds_, run.kind);
  if (models_.empty() && failures_.empty()) return kind_fits;
  const RunState state = PIEVT_TRY(load_run(log, run.run_id));
  const bool failure_fits = std::ranges::any_of(
      state.jobs, [&](const auto& job) { return contains(failures_, job->failure); });
  if ((!kinds_.empty() || !failures_.empty()) && !kind_fits && !failure_fits) return false;
  return models_.empty() || std::ranges::any_of(state.jobs, [&](const auto& job) {
           return std::ranges::any_of(models_, [&](const std::string& model) {
             return job->model.find(model) != std::string::npos;
           });
         });
}

void RunFilter::sort(std::vector<FilteredRun>& runs) const {
  if (order_ == "started") return;
  if (order_ == "name")
    return void(
        std::ranges::stable_sort(runs, {}, [](const FilteredRun& row) { return row.run->name; }));
  const auto key = [this](const FilteredRun& row) -> std::int64_t {
    const RunSummary& run = *row.run;
    if (order_ == "time") return static_cast<std::int64_t>(duration_of(run));
    if (order_ == "cost") return run.usage ? run.usage->cost_nanodollars : 0;
    if (order_ == "tokens")
      return run.usage ? static_cast<std::int64_t>(run.usage->total_tokens) : 0;
    return order_ == "jobs" ? run.jobs : run.failed;
  };
  std::ranges::stable_sort(runs, std::ranges::greater(), key);
}

}  // namespace pievt::tools
