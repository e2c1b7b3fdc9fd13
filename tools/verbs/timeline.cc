// `pievt timeline [run]`: the run as a waterfall in the terminal.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pievt/run_story.h"
#include "tools/render/sanitise.h"
#include "tools/render/width.h"
#include "tools/verbs/access.h"
#include "tools/verbs/timeline_chart.h"

namespace pievt::tools::verbs {
namespace {

using render::Style;

constexpr std::array options_of_timeline = {
    argument("run", "which run, or RUN/JOB; the last run when left out").completing(Complete::jobs),
    number("--rows", "N", "at most so many rows; more jobs than that become groups (default 60)"),
    value("--from", "EVENT", "begin at this event of the run"),
    value("--to", "EVENT", "end at this event of the run"),
    number("--width", "COLUMNS", "as wide as that, whatever the terminal is"),
};

constexpr Manual manual_of_timeline = {
    .details =
        "One row a job in the order in which they began: what each attempt was doing, told by "
        "characters first and colours second; provider errors as x, gates as * and #, the death "
        "of a supervisor as a line through all rows. Below it, on the same scale: how many ran "
        "at once, how many were allowed to, and what the provider answered. A column shows what "
        "took most of its time. Many jobs become groups by how they ended and by the beginning of "
        "their names.",
    .options = options_of_timeline,
    .examples = {{{"pievt timeline last", "the last run on one screen"},
                  {"pievt timeline last --from 800 --to 900", "one stretch of it, enlarged"}}},
};

Result<std::uint64_t> time_of_event(const Log& log, const std::string& run, const Arguments& given,
                                    std::string_view option, std::uint64_t otherwise) {
  const auto typed = given.text(option);
  if (!typed) return otherwise;
  std::string_view digits = *typed;
  if (digits.starts_with('#')) digits.remove_prefix(1);
  std::uint64_t revision = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9' || revision > UINT64_MAX / 16)
      return Error{Errc::invalid,
                   fmt::format("{} {}: write the number of an event, like 812", option, *typed)};
    revision = revision * 10 + static_cast<std::uint64_t>(c - '0');
  }
  auto reader = log.read_stream(run_stream(run), {revision}, {revision});
  if (revision == 0 || !reader.next()) {
    PIEVT_TRY(reader.status());
    return Error{Errc::not_found, fmt::format("{} {}: the run has no such event", option, *typed)};
  }
  return reader.event().time_ns();
}

void write_span(render::JsonWriter& json, const story::Span& span) {
  json.member("from_ns", span.begin.at_ns).member("from_revision", span.begin.revision);
  json.key("to_ns");
  span.end.known() ? json.value(span.end.at_ns) : json.null();
  json.key("to_revision");
  span.end.known() ? json.value(span.end.revision) : json.null();
}

void write_attempt(render::JsonWriter& json, const RunStory& run, const story::Attempt& attempt) {
  json.begin_object().member("attempt", attempt.number).member("model", attempt.model);
  json.member("requested_revision", attempt.requested.revision);
  json.member("ending", schema::EnumNameEnding(attempt.ending)).key("phases").begin_array();
  for (const story::PhaseSpan& span : phases(attempt, run.last.at_ns)) {
    json.begin_object().member("phase", name_of(span.phase));
    json.member("from_ns", span.from_ns).member("to_ns", span.to_ns);
    json.member("revision", span.revision).end_object();
  }
  json.end_array().key("provider_errors").begin_array();
  for (const story::Request& request : attempt.requests) {
    if (!request.failed) continue;
    json.begin_object().member("at_ns", request.answered.at_ns);
    json.member("revision", request.answered.revision).member("error", request.error).end_object();
  }
  json.end_array().end_object();
}

void write_document(const Context& context, const RunStory& run,
                    const std::optional<std::uint32_t>& only) {
  constexpr const char* waits[] = {"dependencies", "slot", "backoff"};
  auto json = context.json();
  json.begin_document("pievt.timeline", 1).member("run", run.run_id);
  json.member("from_ns", run.planned.at_ns).member("to_ns", run.last.at_ns);
  json.key("jobs").begin_array();
  for (const story::Job& job : run.jobs) {
    if (only && job.number != *only) continue;
    json.begin_object().member("job", job.id).member("ending", audit::ending_word(run, job).text);
    json.key("waits").begin_array();
    for (const story::Wait& wait : job.waits) {
      json.begin_object().member("kind", waits[static_cast<std::size_t>(wait.kind)]);
      write_span(json, wait.span);
      json.end_object();
    }
    json.end_array().key("attempts").begin_array();
    for (const std::uint32_t place : job.attempts) write_attempt(json, run, run.attempts[place]);
    json.end_array().end_object();
  }
  json.end_array().key("concurrency").begin_array();
  for (const story::ConcurrencyStep& step : concurrency_curve(run)) {
    json.begin_object().member("from_ns", step.from_ns).member("revision", step.revision);
    json.member("running", step.running).member("allowed", step.allowed).end_object();
  }
  json.end_array().end_object().end_document();
}

class Painter {
 public:
  Painter(Context& context, std::size_t label, std::size_t attempts, std::size_t width)
      : context_(context), label_(label), attempts_(attempts), width_(width) {}

  // Where the word behind a bar has no room it is cut, and not the bar.
  void row(ChartRow row) {
    const std::size_t used = before() + row.bar_end + 1;
    row.ending = render::cut_to_width(row.ending, static_cast<int>(width_ - std::min(width_, used)),
                                      context_.terminal.cut_mark());
    const auto width = static_cast<int>(label_);
    const std::string label =
        render::fill_to_width(render::cut_to_width(row.label, width, context_.terminal.cut_mark()),
                              width, render::Align::left);
    std::string line = fmt::format("{}{:<{}}  ", label, attempts_ == 0 ? "" : " " + row.attempts,
                                   attempts_ == 0 ? 0 : attempts_ + 1);
    context_.out.line(line + audit::painted(context_.terminal, row));
  }
  void line(std::string_view text) {
    context_.out.line(std::string(before(), ' ') + std::string(text));
  }
  std::size_t before() const { return label_ + 2 + (attempts_ == 0 ? 0 : attempts_ + 1); }

 private:
  Context& context_;
  std::size_t label_, attempts_, width_;
};

void tell_marks(Context& context, const RunStory& run) {
  for (const story::Throttle& throttle : run.throttles) {
    context.out.line(fmt::format("  #{} at once {} -> {}: {}", throttle.at.revision, throttle.from,
                                 throttle.to, render::one_line(throttle.detail)));
  }
  for (const story::Supervision& supervision : run.supervisions) {
    if (!supervision.died()) continue;
    context.out.line(fmt::format(
        "  supervisor {} was last heard of at #{}; #{} took over: {} adopted, {} lost",
        supervision.pid, supervision.last_seen.revision, supervision.taken_over.revision,
        (&supervision + 1)->adopted, (&supervision + 1)->lost));
  }
}

std::size_t label_width(const std::vector<ChartRow>& rows, const std::vector<ChartRow>& curves,
                        std::size_t width) {
  std::size_t label = 8, curve_label = 0;
  for (const ChartRow& row : rows)
    label = std::max(label, static_cast<std::size_t>(render::display_width(row.label)));
  for (const ChartRow& row : curves) curve_label = std::max(curve_label, row.label.size());
  // The curves' labels carry their scale: those are never cut.
  return std::max(std::min(label, std::max<std::size_t>(8, width / 4)), curve_label);
}

void paint(Context& context, RunStory& run, const std::optional<std::uint32_t>& only, Scale scale,
           std::size_t width) {
  const bool utf8 = context.terminal.utf8;
  const std::size_t rows_max = context.arguments.number("--rows").value_or(60);
  // The labels say how wide the chart can be, and the chart how the rows are.
  constexpr std::size_t ending = 16;
  scale.columns = 1;
  std::vector<ChartRow> rows = chart_rows(run, scale, std::max<std::size_t>(rows_max, 1), utf8);
  if (only) rows = {audit::job_row(run, run.jobs[*only - 1], scale)};
  std::size_t attempts = 0;
  for (const ChartRow& row : rows) attempts = std::max(attempts, row.attempts.size());
  if (attempts <= 2 || width < 60) attempts = 0;  // all of them "a1"
  Painter painter(context, label_width(rows, chart_curves(run, scale, utf8), width), attempts,
                  width);
  scale.columns = std::max<std::size_t>(10, width - std::min(width, painter.before() + ending));
  rows = only ? std::vector{audit::job_row(run, run.jobs[*only - 1], scale)}
              : chart_rows(run, scale, std::max<std::size_t>(rows_max, 1), utf8);
  audit::mark_supervisors(run, scale, utf8, rows);
  const std::string axis = audit::axis_line(scale, context.globals.zone, utf8);
  if (!axis.empty()) painter.line(axis);
  for (const ChartRow& row : rows) {
    if (context.out.done()) return;
    painter.row(row);
  }
  for (const ChartRow& row : chart_curves(run, scale, utf8)) painter.row(row);
  context.out.line("");
  context.out.line(fmt::format(
      "1 column = {}{}from {} to {} ({})",
      render::duration_text(static_cast<std::int64_t>(scale.column_ns())),
      width < 64 ? "\n" : "   ",
      render::clock_text(static_cast<std::int64_t>(scale.from_ns), context.globals.zone),
      render::clock_text(static_cast<std::int64_t>(scale.to_ns), context.globals.zone),
      render::zone_text(static_cast<std::int64_t>(scale.from_ns), context.globals.zone)));
  for (const std::string& line : audit::chart_legend(rows, width)) context.out.line(line);
  tell_marks(context, run);
}

}  // namespace

const Manual& timeline_manual() {
  return manual_of_timeline;
}

Result<Exit> timeline(Context& context) {
  const Log log = PIEVT_TRY(open_to_read(context));
  const Reference reference =
      PIEVT_TRY(resolve(context, log, context.arguments.text_or("run", "last")));
  const Revision at = PIEVT_TRY(moment(context, log, reference.run));
  RunStory run = PIEVT_TRY(fold_story(log, reference.run, at));
  std::optional<std::uint32_t> only = reference.job;
  if (only && (*only == 0 || *only > run.jobs.size()))
    return Error{Errc::not_found, "that job has no row of its own at that moment"};
  Scale scale;
  scale.from_ns =
      PIEVT_TRY(time_of_event(log, reference.run, context.arguments, "--from", run.planned.at_ns));
  scale.to_ns =
      PIEVT_TRY(time_of_event(log, reference.run, context.arguments, "--to", run.last.at_ns));
  if (scale.to_ns < scale.from_ns)
    return Error{Errc::invalid, "--from is later than --to; exchange them"};
  say_scope(context, log, reference.run, at);
  if (context.wants_json()) {
    write_document(context, run, only);
    return Exit::ok;
  }
  const std::size_t width = context.arguments.number("--width").value_or(
      static_cast<std::uint64_t>(context.terminal.width));
  context.pager.begin();
  paint(context, run, only, scale, std::clamp<std::size_t>(width, 20, 1000));
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
