#include "tools/verbs/copy_report.h"

#include <fmt/format.h>

#include "supervisor/record/clock.h"
#include "tools/render/sanitise.h"
#include "tools/render/text.h"

namespace pievt::tools {
namespace {

std::int64_t now_ns() {
  return static_cast<std::int64_t>(supervisor::boot_now_ns());
}

}  // namespace

CopyProgress::CopyProgress(const Context& context, std::string what)
    : progress_(context.talk.writer(), context.talk.terminal(), std::move(what), now_ns()),
      wanted_(context.globals.loudness != Loudness::quiet) {}

UpkeepProgress CopyProgress::function() {
  if (!wanted_) return {};
  return [this](std::uint64_t done, std::uint64_t total) {
    progress_.set_total(total);
    progress_.at(done, now_ns());
  };
}

void write_copy(render::JsonWriter& json, const CopyReport& report) {
  json.member("before", report.before.value)
      .member("head", report.head.value)
      .member("pages", report.pages)
      .member("events", report.events)
      .member("page_bytes", report.page_bytes)
      .member("bodies", report.bodies)
      .member("body_bytes", report.body_bytes)
      .member("bodies_missing", report.bodies_missing)
      .member("bodies_damaged", report.bodies_damaged)
      .member("bodies_removed", report.bodies_removed)
      .key("problems")
      .begin_array();
  for (const BodyProblem& problem : report.problems) {
    json.begin_object()
        .member("sequence", problem.sequence.value)
        .member("severity", problem.severity == Severity::damaged ? "damaged" : "missing")
        .member("what", problem.what)
        .key("stream");
    if (problem.stream.empty()) {
      json.null();
    } else {
      json.value(problem.stream);
    }
    json.member("revision", problem.revision.value).end_object();
  }
  json.end_array().key("chain");
  if (report.chain.empty()) {
    json.null();
  } else {
    json.value(report.chain);
  }
}

std::string copied_text(const CopyReport& report) {
  return fmt::format("{} in {} ({}), {} ({})", render::plural(report.events, "event"),
                     render::plural(report.pages, "page"), render::bytes_text(report.page_bytes),
                     render::plural(report.bodies, "text or chunk", "texts and chunks"),
                     render::bytes_text(report.body_bytes));
}

void write_problems(const Context& context, const CopyReport& report) {
  if (report.bodies_removed > 0)
    context.out.print("not there, because runs were sealed and their texts removed: {}\n",
                      render::plural(report.bodies_removed, "text or chunk", "texts and chunks"));
  for (const BodyProblem& problem : report.problems) {
    const bool damaged = problem.severity == Severity::damaged;
    std::string where;
    if (!problem.stream.empty())
      where = fmt::format(" {} #{}", render::one_line(problem.stream), problem.revision.value);
    // What is no event's, as a schema or the key of all texts, has no place.
    if (problem.sequence.value != 0) where += fmt::format(" @{}", problem.sequence.value);
    context.out.print("{}{}: {}\n", damaged ? "damaged" : "missing", where,
                      render::one_line(problem.what));
  }
  const std::uint64_t all = report.bodies_missing + report.bodies_damaged;
  if (all > report.problems.size())
    context.out.print("and {} more\n", all - report.problems.size());
}

Exit exit_of(const CopyReport& report) {
  if (report.bodies_damaged > 0) return Exit::corrupt;
  return report.bodies_missing > 0 ? Exit::evidence : Exit::ok;
}

}  // namespace pievt::tools
