// `pievt cost [run...]`: tokens and money, and how much of it bought nothing.
#include <array>

#include <fmt/format.h>

#include "tools/audit/ledger.h"
#include "tools/render/listing.h"
#include "tools/verbs/access.h"
#include "tools/verbs/chosen_runs.h"

namespace pievt::tools::verbs {
namespace {

using audit::By;
using audit::Spent;
using render::Fact;

constexpr std::array options_of_cost = {
    argument("run", "which runs, or RUN/JOB; the last run when left out")
        .completing(Complete::jobs)
        .repeatable(),
    value("--since", "WHEN", "all runs planned from then on"),
    choice("--by", "run|job|attempt|model|day",
           "what a row is (default: job, of several runs: run)"),
};

constexpr Manual manual_of_cost = {
    .details =
        "What model requests cost, each counted once where its usage was recorded, so that pi's "
        "own retries and compactions are neither lost nor counted twice. WASTED is what went "
        "into attempts whose work was not accepted: of failed jobs, and those that a later attempt "
        "repeated. A request that reports no usage is not zero: sums with such a part begin with "
        ">=.",
    .options = options_of_cost,
    .examples = {{{"pievt cost last", "what each job of the last run cost"},
                  {"pievt cost --since 7d --by model", "a week's money, by model"}}},
    .outputs = Outputs::everything,
};

render::ListingShape cost_shape() {
  using render::Align;
  using render::Narrow;
  const auto number = [](std::string title, int importance) {
    return render::Column{.title = std::move(title),
                          .align = Align::right,
                          .narrow = Narrow::drop,
                          .width_min = 12,
                          .importance = importance};
  };
  return {"pievt.cost",
          1,
          {{"what", {.title = "WHAT", .narrow = Narrow::shrink, .width_min = 14, .importance = 10}},
           {"requests", number("REQUESTS", 3)},
           {"unreported_requests", number("UNREPORTED", 2)},
           {"input_tokens", number("IN", 4)},
           {"output_tokens", number("OUT", 4)},
           {"cache_read_tokens", number("CACHE READ", 1)},
           {"cache_write_tokens", number("CACHE WRITE", 1)},
           {"total_tokens", number("TOKENS", 6)},
           {"cost_nanodollars", number("COST", 9)},
           {"wasted_nanodollars", number("WASTED", 8)}}};
}

By by_of(const std::string& word) {
  if (word == "run") return By::run;
  if (word == "attempt") return By::attempt;
  if (word == "model") return By::model;
  if (word == "day") return By::day;
  return By::job;
}

void write_row(render::Listing& listing, const Context& context, std::string_view what,
               const Spent& spent, const Spent& wasted, render::Style style) {
  const bool text = context.globals.output == OutputFormat::text;
  const auto known = [&](const Spent& of, Fact fact) {
    // Of a row that has requests, those that were wasted can be none.
    if (of.requests == 0 && spent.known()) return text ? Fact::text("-") : fact;
    if (!of.known()) return Fact::unknown("not reported");
    return of.unreported == 0 || !text ? fact : Fact::text(">= " + fact.shown());
  };
  listing.row({Fact::text(what, style), Fact::count(spent.requests), Fact::count(spent.unreported),
               known(spent, Fact::count(spent.input_tokens)),
               known(spent, Fact::count(spent.output_tokens)),
               known(spent, Fact::count(spent.cache_read_tokens)),
               known(spent, Fact::count(spent.cache_write_tokens)),
               known(spent, Fact::count(spent.total_tokens)),
               known(spent, Fact::money(spent.nanodollars)),
               known(wasted, Fact::money(wasted.nanodollars))});
}

}  // namespace

const Manual& cost_manual() {
  return manual_of_cost;
}

Result<Exit> cost(Context& context) {
  const Log log = PIEVT_TRY(open_to_read(context));
  const std::vector<ChosenRun> runs = PIEVT_TRY(chosen_runs(context, log, Jobs::admitted));
  const auto several = runs.size() > 1 ? audit::Ledger::Runs::several : audit::Ledger::Runs::one;
  const By by = by_of(context.arguments.text_or("--by", runs.size() > 1 ? "run" : "job"));
  audit::Ledger ledger(by, several, context.globals.zone);
  for (const ChosenRun& run : runs)
    PIEVT_TRY(ledger.add(log, run.id, run.at, {run.job, run.attempt}));
  render::Listing listing = PIEVT_TRY(
      render::Listing::create(context.out, context.terminal, listing_format(context.globals.output),
                              cost_shape(), context.globals.fields));
  say_scope(context, log, runs.size() == 1 ? runs.front().id : "",
            runs.size() == 1 ? runs.front().at : Revision());
  context.pager.begin();
  for (const audit::LedgerRow& row : ledger.rows())
    write_row(listing, context, row.key, row.spent, row.wasted, render::Style::plain);
  // The sum is for people: programs add up themselves, and would count it twice.
  if (context.globals.output == OutputFormat::text && ledger.rows().size() > 1)
    write_row(listing, context, "all", ledger.total(), ledger.wasted(), render::Style::bold);
  listing.finish("nothing was asked of a model");
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
