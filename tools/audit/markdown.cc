#include "tools/audit/markdown.h"

#include <fmt/format.h>

#include "tools/audit/words.h"

namespace pievt::audit {
namespace {

// Characters that Markdown or HTML would take for markup.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '|':
      case '*':
      case '_':
      case '`':
      case '[':
      case ']':
      case '\\':
        out += '\\';
        out += c;
        break;
      default:
        out += c;
    }
  }
  return out;
}

// A command as code; backticks inside would end it.
std::string code(std::string_view text) {
  std::string inside(text);
  for (char& c : inside) c = c == '`' ? '\'' : c;
  return fmt::format("`{}`", inside);
}

std::string with_events(std::string_view text, const Events& events) {
  const std::string names = events_text(events);
  return plain(text) + (names.empty() ? "" : fmt::format(" ({})", names));
}

void section(std::string& out, std::string_view title) {
  out += fmt::format("\n### {}\n\n", title);
}

void findings(std::string& out, const std::vector<Finding>& list, std::string_view mark = "") {
  for (const Finding& each : list)
    out += fmt::format("- {}{}\n", mark, with_events(each.text, each.events));
}

std::string ids(const RunReport& report, const std::vector<std::uint32_t>& jobs) {
  std::string text;
  for (const std::uint32_t job : jobs)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", plain(job_id(report, job)));
  return text;
}

void causes(std::string& out, const RunReport& report) {
  if (report.causes.empty()) return;
  section(out, "First causes");
  for (const Cause& cause : report.causes) {
    out += fmt::format("{}. **{}**: {}", cause.number, plain(cause.title), ids(report, cause.jobs));
    if (!cause.seen.empty()) out += fmt::format("; {}", plain(cause.seen));
    out += fmt::format(" {}\n", cause.events.empty() ? "" : "(" + events_text(cause.events) + ")");
    if (!cause.consequences.empty())
      out += fmt::format("   - so never began: {}\n", ids(report, cause.consequences));
    for (const std::string& detail : cause.details) out += fmt::format("   - {}\n", plain(detail));
  }
}

void usable(std::string& out, const RunReport& report) {
  if (report.usable.empty()) return;
  section(out, "What you can use");
  for (const Usable& each : report.usable) {
    out += fmt::format("- **{}**: {}", plain(job_id(report, each.job)), plain(each.verdict));
    for (const Product& product : each.products)
      out += fmt::format("; {}{}", plain(product.path),
                         product.bytes ? fmt::format(" ({} B)", *product.bytes) : "");
    out += "\n";
    for (const Finding& weak : each.weak)
      out += fmt::format("  - weak: {}\n", with_events(weak.text, weak.events));
  }
}

void actions(std::string& out, const RunReport& report) {
  if (report.actions.empty()) return;
  section(out, "What to do");
  for (const Action& action : report.actions) {
    out += fmt::format("- {}", plain(action.text));
    if (!action.command.empty()) out += fmt::format(": {}", code(action.command));
    if (action.nanodollars)
      out += fmt::format(", about {}", render::money_text(*action.nanodollars));
    out += "\n";
    for (const std::string& detail : action.details) out += fmt::format("  - {}\n", plain(detail));
  }
}

void jobs(std::string& out, const RunReport& report) {
  if (report.jobs.empty()) return;
  section(out, "Jobs");
  out += "| job | status | why | attempts | time | tokens | cost | events |\n";
  out += "|---|---|---|---:|---:|---:|---:|---|\n";
  for (const JobRow& row : report.jobs) {
    out +=
        fmt::format("| {} | {} | {} | {} | {} | {} | {} | #{}-#{} |\n", plain(row.id),
                    row.ended ? schema::EnumNameJobStatus(row.status) : "open", plain(row.why),
                    row.attempts, row.attempts == 0 ? "-" : span_text(row.duration_ms * 1'000'000),
                    tokens_of_work(row.spent, row.attempts), cost_of_work(row.spent, row.attempts),
                    row.first_event, row.last_event);
  }
}

void rest(std::string& out, const RunReport& report) {
  if (!report.secrets.empty()) section(out, "Secrets");
  for (const Secret& secret : report.secrets) {
    out += fmt::format("- {}... ({} characters), {}, {}{} {}\n", plain(secret.prefix), secret.bytes,
                       plain(secret.where), plain(job_id(report, secret.job)),
                       secret.masked ? ", masked" : "", events_text(secret.events));
    for (const SecretPlace& place : secret.found_in)
      out += fmt::format("  - in {} (#{})\n", plain(place.where), place.event);
  }
  if (!report.writes.empty()) section(out, "Writes");
  for (const WriteRow& row : report.writes) {
    out += fmt::format("- {} {} by {}/{} ({}), {}{}{} {}\n", plain(row.path), row.change,
                       plain(job_id(report, row.job)), row.attempt, plain(row.attribution),
                       plain(row.zone), row.detail.empty() ? "" : "; ", plain(row.detail),
                       events_text(row.events));
  }
  if (!report.again.empty() || !report.again_note.empty()) section(out, "Again");
  for (const std::string& note : report.again_note) out += fmt::format("- {}\n", plain(note));
  for (const Relative& other : report.again)
    out += fmt::format("- {} {}: {}\n", other.relation, code(other.run_id), plain(other.text));
  if (!report.verdicts.differ.empty()) section(out, "Verdicts that differ");
  for (const VerdictRow& row : report.verdicts.differ) {
    out += fmt::format("- {}: {} by {}, {} by {}: {}\n", plain(job_id(report, row.job)),
                       schema::EnumNameJobStatus(row.recorded), report.verdicts.recorded_by,
                       schema::EnumNameJobStatus(row.judged), report.verdicts.judged_by,
                       plain(row.reason));
  }
  if (!report.verdicts.consequences.empty()) section(out, "Listed beside a first cause");
  findings(out, report.verdicts.consequences);
  if (!report.violations.empty()) section(out, "Broken rules");
  for (const Violation& broken : report.violations) {
    out +=
        fmt::format("- **{}**: {}\n", plain(broken.rule), with_events(broken.text, broken.events));
  }
  section(out, "Record");
  findings(out, report.record);
  if (!report.unknown.empty()) section(out, "Not known");
  for (const std::string& each : report.unknown) out += fmt::format("- {}\n", plain(each));
}

}  // namespace

std::string report_markdown(const RunReport& report, const RunStory& story,
                            const TextStyle& style) {
  std::string out = fmt::format(
      "## {}: {}\n\n", plain(report.name.empty() ? report.run_id : report.name), report.status);
  out += fmt::format("Run {}, {}, ruleset {}. {} of {} jobs ok, {} attempts, {}. {} - {}\n",
                     code(report.run_id), plain(report.source), report.ruleset, report.jobs_ok,
                     report.jobs_total, report.attempts, spent_text(report.spent, report.attempts),
                     render::rfc3339(static_cast<std::int64_t>(report.begin_ns), style.zone),
                     render::rfc3339(static_cast<std::int64_t>(report.end_ns), style.zone));
  section(out, "Now");
  findings(out, report.needs_you, "**Needs you:** ");
  findings(out, report.now);
  causes(out, report);
  usable(out, report);
  actions(out, report);
  const TextStyle bare{.terminal = {}, .zone = style.zone, .length = style.length};
  const std::string picture =
      timeline_text(report, story, bare, style.length == Length::brief ? 20 : SIZE_MAX);
  if (!picture.empty()) {
    section(out, "Timeline");
    // Four marks, so that no id can end the block.
    out += "````text\n" + picture + "````\n\n";
    findings(out, report.timeline);
  }
  jobs(out, report);
  rest(out, report);
  return out;
}

}  // namespace pievt::audit
