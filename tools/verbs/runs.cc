// `pievt runs`: which runs there are and how they ended, newest first.
#include <algorithm>
#include <array>
#include <optional>
#include <ranges>

#include <fmt/format.h>

#include "pievt/query.h"
#include "supervisor/record/clock.h"
#include "tools/frame/moment.h"
#include "tools/render/listing.h"
#include "tools/verbs/access.h"
#include "tools/verbs/lineage.h"
#include "tools/verbs/run_filter.h"
#include "tools/verbs/run_status.h"
#include "tools/verbs/store_moment.h"

namespace pievt::tools::verbs {
namespace {

using render::Fact;

constexpr std::array options_of_runs = {
    flag("--failed", "only runs that failed or were interrupted"),
    flag("--running", "only runs that are not finished and have a supervisor"),
    value("--lineage", "RUN", "the runs that it repeats, and those that repeat it")
        .completing(Complete::runs),
    value("--since", "WHEN", "only runs planned from then on"),
    value("--status", "WORD", "only runs of that status: failed, succeeded, running and so on")
        .repeatable(),
    value("--kind", "KIND",
          "only runs of that kind, or with a job that failed that way; `provider` is all of its "
          "kinds")
        .completing(Complete::kinds)
        .repeatable(),
    value("--model", "NAME", "only runs in which a job names a model like that").repeatable(),
    choice("--sort", "started|time|cost|tokens|jobs|failed|name",
           "largest first; names by letters"),
    number("--limit", "N", "at most so many").with_letter('n'),
};

constexpr Manual manual_of_runs = {
    .details =
        "One line a run, newest first. `interrupted` is a run that is not finished and whose "
        "supervisor is gone: pievt resume goes on with it. With --at (@SEQUENCE or a time), "
        "the list as it was then.",
    .options = options_of_runs,
    .examples = {{{"pievt runs --failed --since 24h", "what went wrong since yesterday"},
                  {"pievt runs --json | jq '[.items[].cost_nanodollars] | add'",
                   "what everything cost, in nano-dollars"}}},
    .outputs = Outputs::everything,
};

render::ListingShape runs_shape() {
  using render::Align;
  using render::Narrow;
  const auto number = [](std::string title, int importance) {
    return render::Column{.title = std::move(title),
                          .align = Align::right,
                          .narrow = Narrow::drop,
                          .width_min = 12,
                          .importance = importance};
  };
  constexpr auto hidden = render::ListingColumn::Shown::on_request;
  return {"pievt.runs",
          1,
          {{"run", {.title = "RUN", .importance = 10}},
           {"name", {.title = "NAME", .narrow = Narrow::shrink, .width_min = 8}},
           {"status", {.title = "STATUS", .importance = 9}},
           {"succeeded", number("OK", 8)},
           {"failed", number("FAILED", 8)},
           {"jobs", number("JOBS", 7)},
           {"attempts", number("TRIES", 1)},
           {"duration_ns", number("TIME", 6)},
           {"total_tokens", number("TOKENS", 2)},
           {"cost_nanodollars", number("COST", 5)},
           {"started", {.title = "STARTED", .narrow = Narrow::drop, .importance = 3}},
           {"finished", {.title = "FINISHED"}, hidden},
           {"requests", {.title = "REQUESTS", .align = Align::right}, hidden},
           {"unreported_requests", {.title = "UNREPORTED", .align = Align::right}, hidden},
           {"events", {.title = "EVENTS", .align = Align::right}, hidden},
           {"plan", {.title = "PLAN"}, hidden}}};
}

Fact time_fact(std::uint64_t time_ns, render::Zone zone, std::string_view otherwise) {
  return time_ns == 0 ? Fact::unknown(otherwise)
                      : Fact::time(static_cast<std::int64_t>(time_ns), zone);
}

// What pi did not report is not known, and not nothing: what is known then is a lower bound.
Fact at_least(Fact known, const RunSummary& run, OutputFormat format) {
  static const state::UsageTotalsT none;
  const state::UsageTotalsT& usage = run.usage ? *run.usage : none;
  if (usage.unreported == usage.requests && run.attempts > 0) return Fact::unknown("not reported");
  if (usage.unreported == 0 || format != OutputFormat::text) return known;
  return Fact::text(">= " + known.shown());
}

// A run that goes on is measured against now, one that was left against its last event.
Fact duration_fact(const RunSummary& run, const RunStatus& status, std::uint64_t now_ns) {
  if (run.started_ns == 0) return Fact::unknown("not started");
  const bool goes_on = status.word != "interrupted" && run.phase != state::RunPhase::finished;
  const std::uint64_t end = run.finished_ns != 0 ? run.finished_ns
                            : goes_on            ? now_ns
                                                 : run.updated_ns;
  return Fact::duration(static_cast<std::int64_t>(std::max(end, run.started_ns) - run.started_ns));
}

// On a narrow terminal a run is called by the part behind its last dash, where that is enough.
std::string shown_id(const Context& context, const RunList& list, const RunSummary& run) {
  constexpr int narrow = 72;
  const bool whole = context.globals.output != OutputFormat::text || !context.terminal.is_tty ||
                     context.terminal.width >= narrow;
  if (whole) return run.run_id;
  const std::string tail = run.run_id.substr(run.run_id.rfind('-') + 1);
  const auto found = resolve_run(list, tail);
  return found.ok() && *found == run.run_id ? tail : run.run_id;
}

void write_row(render::Listing& listing, const Context& context, const RunList& list,
               const RunSummary& run, const RunStatus& status, std::uint64_t now_ns) {
  static const state::UsageTotalsT none;
  const state::UsageTotalsT& usage = run.usage ? *run.usage : none;
  const render::Zone zone = context.globals.zone;
  listing.row(
      {Fact::text(shown_id(context, list, run)), Fact::text(run.name),
       Fact::text(status.word, status.style), Fact::count(run.succeeded), Fact::count(run.failed),
       Fact::count(run.jobs), Fact::count(run.attempts), duration_fact(run, status, now_ns),
       at_least(Fact::count(usage.total_tokens), run, context.globals.output),
       at_least(Fact::money(usage.cost_nanodollars), run, context.globals.output),
       time_fact(run.started_ns, zone, "not started"),
       time_fact(run.finished_ns, zone, "not finished"), Fact::count(usage.requests),
       Fact::count(usage.unreported), Fact::count(run.revision), Fact::text(run.plan_path)});
}

}  // namespace

const Manual& runs_manual() {
  return manual_of_runs;
}

Result<Exit> runs(Context& context) {
  const auto now = supervisor::wall_now_ns();
  RunFilter filter = PIEVT_TRY(RunFilter::from(context, now));
  const Log log = PIEVT_TRY(open_to_read(context));
  if (const auto of = context.arguments.text("--lineage")) {
    const Reference reference = PIEVT_TRY(resolve(context, log, *of));
    PIEVT_TRY(write_lineage(context, log, reference.run));
    return Exit::ok;
  }
  const LogInfo info = log.info();
  const Sequence at = PIEVT_TRY(store_moment(context, log));
  const bool past = context.globals.at.has_value();
  const RunList list = PIEVT_TRY(load_runs(log, at));
  render::Listing listing = PIEVT_TRY(
      render::Listing::create(context.out, context.terminal, listing_format(context.globals.output),
                              runs_shape(), context.globals.fields));
  say_scope(context, log, "", {});
  if (past) context.talk.say(fmt::format("as of @{}", at.value));
  context.pager.begin();
  std::vector<FilteredRun> rows;
  for (const auto& run : list.runs | std::views::reverse) {
    const RunStatus status = past
                                 ? past_run_status(run->phase, run->ending)
                                 : run_status(run->phase, run->ending, run->supervisor.get(), info);
    if (PIEVT_TRY(filter.admits(log, *run, status))) rows.push_back({run.get(), status});
  }
  filter.sort(rows);
  for (const auto& [run, status] : rows) {
    if (listing.rows() >= filter.limit() || context.out.done()) break;
    // In the past nothing goes on: running things are measured against their last event.
    write_row(listing, context, list, *run, status, past ? run->updated_ns : now);
  }
  listing.finish(list.runs.empty() ? "no runs yet; start one with: pievt run PLAN.json"
                                   : "no run of this store is like that");
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
