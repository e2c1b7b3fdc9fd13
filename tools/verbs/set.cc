// `pievt set`: changes how much a run does at once, or which of its jobs comes first.
#include <charconv>

#include <fmt/format.h>

#include "tools/verbs/control.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_set = {
    argument("what", "a run, or RUN/JOB; the run that is being supervised when left out")
        .shown_as("RUN[/JOB]")
        .completing(Complete::jobs),
    number("--concurrency", "N", "how many attempts of the run may run at once"),
    value("--priority", "N", "of the job; larger starts first, may be below 0"),
};

constexpr Manual manual_of_set = {
    .details =
        "With a run, how many of its attempts may run at once from here on; what runs is not "
        "stopped when that is fewer. With a job that waits, its priority.",
    .options = options_of_set,
    .examples = {{{"pievt set last --concurrency 2", "leave some room for others"},
                  {"pievt set last/ch07 --priority 10", "do that one next"}}},
};

Result<std::int32_t> priority_of(const std::string& text) {
  std::int32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc() && end == text.data() + text.size()) return value;
  return Error{Errc::invalid, fmt::format("--priority {}: write a whole number", text)};
}

}  // namespace

const Manual& set_manual() {
  return manual_of_set;
}

Result<Exit> set(Context& context) {
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(open_to_read(context));
  const auto concurrency = context.arguments.number("--concurrency");
  const auto priority = context.arguments.text("--priority");
  const Reference what =
      PIEVT_TRY(supervised_run(context, log, store, context.arguments.text("what")));
  if (concurrency.has_value() == priority.has_value())
    return Error{Errc::invalid, "give either --concurrency for a run or --priority for a job"};
  if (concurrency) {
    if (what.job) return Error{Errc::invalid, "--concurrency is of a run, not of a job"};
    if (*concurrency == 0 || *concurrency > UINT32_MAX)
      return Error{Errc::invalid, "--concurrency: use 1 or more; pievt pause starts nothing"};
    return ask(context, log, store, what.run,
               control::SetConcurrency{static_cast<std::uint32_t>(*concurrency)});
  }
  if (!what.job || *what.job == 0) return Error{Errc::invalid, "--priority is of a job: RUN/JOB"};
  const std::int32_t value = PIEVT_TRY(priority_of(*priority));
  const RunState run = PIEVT_TRY(load_run(log, what.run));
  return ask(context, log, store, what.run,
             control::SetPriority{find_job(run, *what.job)->id, value});
}

}  // namespace pievt::tools::verbs
