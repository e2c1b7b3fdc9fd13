// `pievt stats [run...]`: how attempts end, over many runs.
#include <array>

#include <fmt/format.h>

#include "pievt/query.h"
#include "tools/audit/statistics.h"
#include "tools/render/listing.h"
#include "tools/verbs/access.h"
#include "tools/verbs/chosen_runs.h"

namespace pievt::tools::verbs {
namespace {

using audit::Grouping;
using render::Fact;

constexpr std::array options_of_stats = {
    argument("run", "which runs, or RUN/JOB; all of the store when left out")
        .completing(Complete::jobs)
        .repeatable(),
    value("--since", "WHEN", "only runs planned from then on"),
    choice("--by", "kind|provider|model|hour|run", "what a row is (default: kind)"),
};

constexpr Manual manual_of_stats = {
    .details =
        "One row for each kind of failure, what the provider said, each model, each hour of the "
        "day or each run: how many attempts, how many of them failed, how many of those were "
        "repeated, and how many jobs ended that way. Attempts that still run do not count.",
    .options = options_of_stats,
    .examples = {{{"pievt stats --since 7d", "what fails most, this week"},
                  {"pievt stats --by hour", "when the provider is tired"}}},
    .outputs = Outputs::everything,
};

render::ListingShape stats_shape() {
  using render::Align;
  const auto number = [](std::string title, int importance) {
    return render::Column{.title = std::move(title),
                          .align = Align::right,
                          .narrow = render::Narrow::drop,
                          .width_min = 12,
                          .importance = importance};
  };
  return {"pievt.stats",
          1,
          {{"what",
            {.title = "WHAT", .narrow = render::Narrow::shrink, .width_min = 14, .importance = 10}},
           {"attempts", number("ATTEMPTS", 8)},
           {"failed", number("FAILED", 9)},
           {"failed_percent", number("%", 6)},
           {"retried", number("RETRIED", 3)},
           {"jobs_failed", number("JOBS LOST", 7)},
           {"duration_ns", number("TIME", 4)},
           {"cost_nanodollars", number("COST", 5)}}};
}

Grouping grouping_of(const std::string& word) {
  if (word == "provider") return Grouping::provider;
  if (word == "model") return Grouping::model;
  if (word == "hour") return Grouping::hour;
  if (word == "run") return Grouping::run;
  return Grouping::kind;
}

Result<std::vector<ChosenRun>> runs_asked_for(const Context& context, const Log& log) {
  if (!context.arguments.all("run").empty() || context.arguments.has("--since"))
    return chosen_runs(context, log, Jobs::admitted);
  std::vector<ChosenRun> all;
  const RunList list = PIEVT_TRY(load_runs(log));
  for (const auto& run : list.runs) all.push_back({run->run_id, {}, {}, {}});
  return all;
}

Fact cost_fact(const Context& context, const audit::Spent& spent) {
  // Every row has an attempt: where no request is recorded at all, nobody reported any.
  if (!spent.known()) return Fact::unknown("not reported");
  const Fact known = Fact::money(spent.nanodollars);
  const bool part = spent.unreported > 0 && context.globals.output == OutputFormat::text;
  return part ? Fact::text(">= " + known.shown()) : known;
}

}  // namespace

const Manual& stats_manual() {
  return manual_of_stats;
}

Result<Exit> stats(Context& context) {
  const Log log = PIEVT_TRY(open_to_read(context));
  const auto runs = PIEVT_TRY(runs_asked_for(context, log));
  audit::Statistics statistics(grouping_of(context.arguments.text_or("--by", "kind")),
                               context.globals.zone);
  for (const ChosenRun& run : runs)
    statistics.add(PIEVT_TRY(load_run(log, run.id, run.at)), {run.job, run.attempt});
  render::Listing listing = PIEVT_TRY(
      render::Listing::create(context.out, context.terminal, listing_format(context.globals.output),
                              stats_shape(), context.globals.fields));
  say_scope(context, log, runs.size() == 1 ? runs.front().id : "", {});
  context.talk.say(fmt::format("of {}", render::plural(runs.size(), "run")));
  context.pager.begin();
  for (const audit::StatisticsRow& row : statistics.rows()) {
    listing.row({Fact::text(row.key), Fact::count(row.attempts), Fact::count(row.failed),
                 Fact::count((row.failed * 100 + row.attempts / 2) / row.attempts),
                 Fact::count(row.retried), Fact::count(row.jobs),
                 Fact::duration(static_cast<std::int64_t>(row.duration_ms) * 1'000'000),
                 cost_fact(context, row.spent)});
  }
  listing.finish("no attempt has ended yet");
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
