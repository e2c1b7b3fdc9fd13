// What can be read without the script, on paper and on a narrow screen: the strip, the cards, the
// table of jobs, the end. Every text is escaped here.
#include <algorithm>

#include <fmt/format.h>

#include "tools/audit/text.h"
#include "tools/audit/words.h"
#include "tools/exporters/html/page_parts.h"
#include "tools/render/sanitise.h"
#include "tools/render/text.h"

namespace pievt::tools::html {
namespace {

using schema::JobStatus;

/// More rows than this nobody scrolls through; the rest is in the picture.
constexpr std::size_t table_rows_max = 2000;
/// More cards than this are folded.
constexpr std::size_t causes_open_max = 3;
constexpr std::size_t causes_max = 40;
constexpr std::size_t names_max = 12;
/// More blocks than this are counted instead.
constexpr std::size_t blocks_max = 60;

std::string_view word_of(JobStatus status) {
  return status == JobStatus::unknown ? "open" : schema::EnumNameJobStatus(status);
}

// "#8 - #17" behind a sentence.
std::string behind(const audit::Events& events) {
  const std::string names = audit::events_text(events);
  return names.empty() ? "" : fmt::format(" <span class=\"dim\">{}</span>", names);
}

std::string names_of(const audit::RunReport& report, std::span<const std::uint32_t> jobs) {
  std::string text;
  for (const std::uint32_t job : jobs.first(std::min(jobs.size(), names_max)))
    text += fmt::format("{}{}", text.empty() ? "" : ", ", escaped(audit::job_id(report, job)));
  if (jobs.size() > names_max) text += fmt::format(" and {} more", jobs.size() - names_max);
  return text;
}

std::string_view record_text(audit::Integrity integrity) {
  switch (integrity) {
    case audit::Integrity::whole:
      return "complete, not proven here";
    case audit::Integrity::incomplete:
      return "a part is missing";
    case audit::Integrity::damaged:
      break;
  }
  return "damaged";
}

std::string card(const Page& page, const audit::Cause& cause) {
  const audit::RunReport& report = page.report;
  std::string out = fmt::format(
      "<section class=\"cause\" data-cause=\"{}\"><button type=\"button\" aria-pressed=\"false\">"
      "{}: {}</button><p>{}{}</p>",
      cause.number - 1, render::plural(cause.jobs.size(), "job"), escaped(cause.title),
      escaped(cause.seen), behind(cause.events));
  for (const std::string& detail : cause.details) out += fmt::format("<p>{}</p>", escaped(detail));
  out += fmt::format("<p class=\"dim\">{}</p>", names_of(report, cause.jobs));
  if (!cause.consequences.empty())
    out += fmt::format(
        "<details><summary>{} never began because of it</summary><p class=\"dim\">{}</p></details>",
        render::plural(cause.consequences.size(), "job"), names_of(report, cause.consequences));
  const auto action = std::ranges::find_if(report.actions, [&](const audit::Action& each) {
    return !cause.command.empty() && each.command == cause.command;
  });
  if (action != report.actions.end()) {
    out += fmt::format("<p>{}{}</p><p><code>{}</code></p>", escaped(action->text),
                       action->nanodollars ? fmt::format(", about {} ({})",
                                                         render::money_text(*action->nanodollars),
                                                         escaped(action->priced_by))
                                           : "",
                       escaped(cause.command));
  } else {
    out += fmt::format("<p><code>pievt why {}/{}</code></p>", escaped(report.run_id),
                       escaped(audit::job_id(report, cause.jobs.front())));
  }
  return out + "</section>\n";
}

// Why a success is weak, and what is there to be used of it.
std::string weak_marks(const Page& page, const JobState& job) {
  const auto usable = std::ranges::find(page.report.usable, job.number, &audit::Usable::job);
  if (usable == page.report.usable.end()) return "";
  std::string out;
  for (const audit::Product& product : usable->products)
    out += fmt::format("<br>{}{}", escaped(product.path),
                       product.bytes ? ", " + render::bytes_text(*product.bytes) : "");
  for (const audit::Finding& weak : usable->weak)
    out += fmt::format("<br><b>weak:</b> {}{}", escaped(weak.text), behind(weak.events));
  return out;
}

std::string job_row(const Page& page, const JobState& job) {
  const audit::JobRow& row = page.report.jobs[job.number - 1];
  return fmt::format(
      "<tr data-cause=\"{}\"><td><button type=\"button\" data-job=\"{}\">{}</button></td>"
      "<td class=\"{}\">{}&nbsp;{}</td><td>{}</td><td class=\"num wide\">{}</td>"
      "<td class=\"num wide\">{}</td><td class=\"num wide\">{}</td>"
      "<td class=\"wide\">#{}-#{}</td></tr>\n",
      cause_of(page.report, job.number), job.number - 1, escaped(job.id), class_of(job.status),
      glyph_of(job.status),
      job.status == JobStatus::unknown ? state::EnumNameJobPhase(job.phase)
                                       : schema::EnumNameJobStatus(job.status),
      escaped(row.why) + weak_marks(page, job), row.attempts,
      render::duration_text(static_cast<std::int64_t>(row.duration_ms) * 1'000'000),
      audit::money_of(row.spent), row.first_event == 0 ? job.declared_revision : row.first_event,
      std::max(job.declared_revision, row.last_event));
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : render::one_line(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string_view glyph_of(JobStatus status) {
  switch (status) {
    case JobStatus::succeeded:
      return "\u2713";
    case JobStatus::skipped:
    case JobStatus::cancelled:
      return "\u2298";
    case JobStatus::unknown:
      return "\u2026";
    case JobStatus::blocked:
      return "!";
    case JobStatus::needs_review:
      return "?";
    default:
      return "\u2717";
  }
}

std::string_view class_of(JobStatus status) {
  if (status == JobStatus::succeeded) return "ok";
  if (status == JobStatus::skipped || status == JobStatus::cancelled ||
      status == JobStatus::unknown)
    return "dim";
  return status == JobStatus::blocked || status == JobStatus::needs_review ? "warn" : "bad";
}

Standing standing_of(JobStatus status) {
  if (status == JobStatus::skipped) return Standing::follows;
  const bool fine = status == JobStatus::succeeded || status == JobStatus::cancelled ||
                    status == JobStatus::unknown;
  return fine ? Standing::fine : Standing::failed;
}

int cause_of(const audit::RunReport& report, std::uint32_t job) {
  return job == 0 || job > report.jobs.size() ? -1
                                              : static_cast<int>(report.jobs[job - 1].cause) - 1;
}

std::string verdict_strip(const Page& page) {
  const RunState& run = page.run;
  const bool over = run.phase == state::RunPhase::finished;
  const bool good = over && !page.report.failed;
  const std::string_view look = good ? "ok" : over ? "bad" : "warn";
  std::string out = fmt::format(
      "<header><h1>{}</h1><span class=\"verdict {}\">{} {}</span>{}</header>\n"
      "<div class=\"blocks\" aria-hidden=\"true\">",
      escaped(page.report.name), look,
      good   ? "\u2713"
      : over ? "\u2717"
             : "\u2026",
      escaped(page.report.status),
      page.report.name == run.run_id ? "" : fmt::format("<code>{}</code>", escaped(run.run_id)));
  // What failed stands first.
  const auto rank = [](JobStatus status) {
    return std::pair(status == JobStatus::succeeded, static_cast<int>(standing_of(status)) == 0);
  };
  std::map<std::pair<std::pair<bool, bool>, JobStatus>, std::size_t> counts;
  for (const auto& job : run.jobs) ++counts[{rank(job->status), job->status}];
  std::string words;
  for (const auto& [key, count] : counts) {
    const JobStatus status = key.second;
    // A block a job, or one with a number where there are many.
    const std::size_t blocks = run.jobs.size() <= blocks_max ? count : 1;
    for (std::size_t i = 0; i < blocks; ++i)
      out += fmt::format("<span class=\"{}\" title=\"{}\">{}{}</span>", class_of(status),
                         word_of(status), glyph_of(status),
                         blocks == count ? "" : fmt::format(" {}", render::count_text(count)));
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", count, word_of(status));
  }
  const auto duration = static_cast<std::int64_t>(page.story.last.at_ns - page.story.planned.at_ns);
  out += fmt::format(
      "</div>\n<ul class=\"facts\"><li><b>{}</b> of {}</li><li><b>{}</b></li>"
      "<li>cost <b>{}</b></li><li>{}</li>{}<li>{}</li><li>record: <b>{}</b>, {}</li></ul>\n",
      words.empty() ? "nothing" : words, render::plural(run.jobs.size(), "job"),
      render::duration_text(duration), audit::money_of(page.report.spent),
      render::plural(page.story.attempts.size(), "attempt"),
      page.report.models.empty() ? "" : fmt::format("<li>{}</li>", escaped(page.report.models)),
      render::rfc3339(static_cast<std::int64_t>(run.planned_ns), render::Zone::utc),
      render::plural(page.work.manifest.events_in, "event"), record_text(page.report.integrity));
  if (!run.reason.empty()) out += fmt::format("<p>{}</p>\n", escaped(run.reason));
  return out;
}

std::string needs_you(const Page& page) {
  const audit::RunReport& report = page.report;
  if (report.needs_you.empty()) return {};
  std::string out = "<h2>Needs you</h2>\n<ul class=\"needs\">";
  for (const audit::Finding& each : report.needs_you)
    out += fmt::format("<li>{}{}</li>", escaped(each.text), behind(each.events));
  out += "</ul>\n";
  std::string secrets;
  for (const audit::Secret& secret : report.secrets) {
    if (secret.masked) continue;
    secrets +=
        fmt::format("<li><code>{}\u2026</code> ({}), {}, {}{}</li>", escaped(secret.prefix),
                    render::plural(secret.bytes, "character"), escaped(secret.where),
                    secret.job == 0 ? "of the run" : escaped(audit::job_id(report, secret.job)),
                    behind(secret.events));
  }
  if (!secrets.empty())
    out += fmt::format("<h2>Secrets</h2>\n<ul class=\"secrets\">{}</ul>\n", secrets);
  return out;
}

std::string cause_cards(const Page& page) {
  const auto& causes = page.report.causes;
  if (causes.empty()) return {};
  std::string out = "<h2>First causes</h2>\n<div class=\"causes\">\n";
  const std::size_t shown = std::min(causes.size(), causes_max);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i == causes_open_max)
      out += fmt::format(
          "</div>\n<details class=\"more\"><summary>{} more</summary><div class=\"causes\">\n",
          render::plural(causes.size() - i, "cause"));
    out += card(page, causes[i]);
  }
  out += "</div>\n";
  if (shown > causes_open_max) out += "</details>\n";
  if (shown < causes.size())
    out += fmt::format("<p class=\"dim\">and {} more; pievt audit {} has them all</p>\n",
                       causes.size() - shown, escaped(page.run.run_id));
  return out;
}

std::string jobs_table(const Page& page) {
  std::vector<const JobState*> order;
  for (const auto& job : page.run.jobs) order.push_back(job.get());
  // What failed stands first, then what follows from it, cause by cause in the order of the plan.
  std::ranges::stable_sort(order, {}, [&](const JobState* job) {
    const Standing standing = standing_of(job->status);
    const int rank = standing == Standing::failed ? 0 : standing == Standing::follows ? 1 : 2;
    return std::pair(rank, cause_of(page.report, job->number));
  });
  std::string out =
      "<h2>Jobs</h2>\n<table><thead><tr><th>job</th><th>status</th><th>why</th>"
      "<th class=\"num wide\">attempts</th><th class=\"num wide\">time</th>"
      "<th class=\"num wide\">cost</th><th class=\"wide\">events</th></tr></thead><tbody>\n";
  for (const JobState* job : std::span(order).first(std::min(order.size(), table_rows_max)))
    out += job_row(page, *job);
  out += "</tbody></table>\n";
  if (order.size() > table_rows_max)
    out += fmt::format("<p class=\"dim\">and {} more, which are in the timeline</p>\n",
                       order.size() - table_rows_max);
  return out;
}

std::string foot(const Page& page, const TextBudget& budget) {
  std::string out = "<footer>";
  if (!page.report.unknown.empty()) {
    out += "<h2>What is not known</h2><ul>";
    for (const std::string& each : page.report.unknown)
      out += fmt::format("<li>{}</li>", escaped(each));
    out += "</ul>";
  }
  out +=
      fmt::format("<h2>What this page does not contain</h2><p>{}.", find_exporter("html")->cannot);
  if (budget.shortened != 0)
    out += fmt::format(" {} shortened to keep the page small.",
                       render::plural(budget.shortened, "text"));
  if (budget.absent != 0)
    out += fmt::format(" {} not there: redacted, or never stored.",
                       render::plural(budget.absent, "text"));
  const Manifest& manifest = page.work.manifest;
  return out +
         fmt::format(
             " Nothing was fetched from anywhere, and nothing is.</p>\n"
             "<p>{}</p><p>Causes by the rules of {}. Made by pievt {} from {}. SHA-256 of its {}: "
             "<code>{}</code></p></footer>\n",
             escaped(manifest_text(manifest)), escaped(page.report.ruleset),
             escaped(page.work.options.pievt_version), escaped(manifest.origin),
             render::plural(manifest.events_in, "event"), manifest.events_digest);
}

}  // namespace pievt::tools::html
