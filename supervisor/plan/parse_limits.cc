// Reads what bounds a run and its jobs: budget, silence, and how long a provider is listened to.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "supervisor/plan/duration.h"
#include "supervisor/plan/parse_parts.h"

namespace pievt::plan {
namespace {

constexpr auto budget_where = static_cast<std::uint16_t>(Where::budget);
constexpr auto silence_where = static_cast<std::uint16_t>(Where::silence);

// The largest that stays exact on its way through JSON in nano-dollars.
constexpr double dollars_max = 9'000'000;

void read_cost(const Field& field, WrittenBudget& budget) {
  const auto dollars = field.number(0, dollars_max);
  if (!dollars) return;
  const auto nano = static_cast<std::int64_t>(std::llround(*dollars * 1e9));
  if (nano == 0) return field.wrong("must be more than nothing");
  budget.cost_nanodollars = nano;
}

constexpr std::array<Key<WrittenBudget>, 4> budget_table = {{
    {{"tokens", budget_where, Support::now, "whole number",
      "Tokens as pi reports them, with those read from and written to caches"},
     [](const Field& field, WrittenBudget& budget) {
       if (const auto n = field.whole_number(1, INT64_MAX >> 10))
         budget.tokens = static_cast<std::uint64_t>(*n);
     }},
    {{"cost", budget_where, Support::now, "number", "US dollars, as pi reports them"}, read_cost},
    {{"time", budget_where, Support::now, "duration",
      "Of a run: from its start, or from when it was resumed after its end; of a job: what its "
      "attempts take together"},
     [](const Field& field, WrittenBudget& budget) {
       const auto ms = read_duration(field);
       if (ms && *ms == 0) return field.wrong("must be more than nothing");
       if (ms) budget.wall_ms = ms;
     }},
    {{"retries", budget_where, Support::now, "whole number",
      "Attempts beyond the first of each job, 1 or more; for none set `retry.maxAttempts` to 1"},
     [](const Field& field, WrittenBudget& budget) {
       if (const auto n = field.whole_number(1, UINT32_MAX))
         budget.retries = static_cast<std::uint32_t>(*n);
     }},
}};

template <std::optional<std::uint64_t> WrittenSilence::*member>
void read_threshold(const Field& field, WrittenSilence& silence) {
  const auto ms = read_duration(field);
  if (ms && *ms == 0) return field.wrong("must be more than nothing");
  if (ms) silence.*member = ms;
}

constexpr std::array<Key<WrittenSilence>, 5> silence_table = {{
    {{"starting", silence_where, Support::now, "duration", "Until pi's first words"},
     read_threshold<&WrittenSilence::starting_ms>},
    {{"thinking", silence_where, Support::now, "duration", "In the middle of the model's answer"},
     read_threshold<&WrittenSilence::thinking_ms>},
    {{"tool", silence_where, Support::now, "duration", "While a tool runs"},
     read_threshold<&WrittenSilence::tool_ms>},
    {{"provider", silence_where, Support::now, "duration",
      "While the provider has not begun to answer; pi 1.x asks again by itself after five minutes"},
     read_threshold<&WrittenSilence::provider_ms>},
    {{"lingering", silence_where, Support::now, "duration",
      "From pi's last word to its exit; `30s` if left out. What it did counts"},
     read_threshold<&WrittenSilence::lingering_ms>},
}};

}  // namespace

std::span<const Key<WrittenBudget>> budget_keys() {
  return budget_table;
}
std::span<const Key<WrittenSilence>> silence_keys() {
  return silence_table;
}

std::optional<std::uint64_t> read_duration(const Field& field) {
  if (!field.is(JsonKind::string, "a duration like \"20m\"")) return std::nullopt;
  const auto ms = parse_duration_ms(field.value.string());
  if (!ms.ok()) {
    field.wrong(fmt::format("must be a duration: {}", ms.error().what));
  } else if (*ms > limits::timeout_ms_max) {
    field.wrong("must be at most 30 days (\"30d\")");
  } else {
    return *ms;
  }
  return std::nullopt;
}

void read_budget(const Field& field, std::optional<WrittenBudget>& into) {
  if (!field.is(JsonKind::object, "an object")) return;
  into.emplace();
  read_object(field.problems, field.value, budget_keys(), Where::budget,
              fmt::format("\"budget\" of {}", field.label), *into);
}

void read_silence(const Field& field, Written& into) {
  if (!field.is(JsonKind::object, "an object")) return;
  into.silence.emplace();
  read_object(field.problems, field.value, silence_keys(), Where::silence,
              fmt::format("\"silence\" of {}", field.label), *into.silence);
}

}  // namespace pievt::plan
