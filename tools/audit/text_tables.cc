#include "tools/audit/text_page.h"

namespace pievt::audit {
namespace {

using render::Style;
using schema::JobStatus;

std::string_view status_word(const JobRow& row) {
  if (!row.ended) return "open";
  if (row.status == JobStatus::succeeded) return "ok";
  return schema::EnumNameJobStatus(row.status);
}

}  // namespace

void Page::job(const JobRow& row, std::size_t id_width, std::size_t why_width) {
  const bool ok = row.status == JobStatus::succeeded;
  std::string status(status_word(row));
  status.resize(std::max<std::size_t>(status.size(), 11), ' ');
  std::string why = row.why.size() <= why_width ? shortened(row.why, why_width)
                                                : shortened(row.why, why_width - 3);
  why.resize(std::max(why.size(), why_width), ' ');
  const std::string events =
      row.first_event == 0
          ? ""
          : fmt::format("#{}-#{}", row.first_event, std::max(row.first_event, row.last_event));
  line(fmt::format("{:<{}}  {}  {}  {:>3}  {:>8}  {:>12}  {:>12}  {}", row.id, id_width,
                   render::styled(style_.terminal, ok ? Style::good : Style::bad, status), why,
                   row.attempts, row.attempts == 0 ? "-" : span_text(row.duration_ms * 1'000'000),
                   tokens_of_work(row.spent, row.attempts), cost_of_work(row.spent, row.attempts),
                   events));
  if (!row.said.empty()) line(fmt::format("{:<{}}  said: \"{}\"", "", id_width, row.said));
}

void Page::jobs() {
  if (report_.jobs.empty()) return;
  std::size_t id_width = 4, why_width = 10;
  for (const JobRow& row : report_.jobs) {
    id_width = std::max(id_width, std::min<std::size_t>(row.id.size(), 24));
    why_width = std::max(why_width, std::min<std::size_t>(row.why.size(), 48));
  }
  title("JOBS", fmt::format("{} of {} ok", report_.jobs_ok, report_.jobs_total));
  line(fmt::format("{:<{}}  {:<11}  {:<{}}  try  {:>8}  {:>12}  {:>12}  events", "job", id_width,
                   "status", "why", why_width, "time", "tokens", "cost"));
  std::vector<const JobRow*> order;
  for (const JobRow& row : report_.jobs) order.push_back(&row);
  const bool cut = brief() && order.size() > jobs_brief;
  if (cut) {
    // One of each kind is enough in short: failed ones first, and of one cause not more than two.
    std::vector<const JobRow*> chosen;
    std::vector<std::uint32_t> seen(report_.causes.size() + 1, 0);
    for (const JobRow* row : order) {
      const bool failed = row->status != JobStatus::succeeded;
      const std::size_t cause = std::min<std::size_t>(row->cause, report_.causes.size());
      if (failed && seen[cause]++ < 2 && chosen.size() < jobs_brief - 4) chosen.push_back(row);
    }
    for (const JobRow* row : order) {
      if (row->status == JobStatus::succeeded && chosen.size() < jobs_brief) chosen.push_back(row);
    }
    order = std::move(chosen);
  }
  for (const JobRow* row : order) job(*row, id_width, why_width);
  if (cut) {
    std::size_t ok = 0;
    for (const JobRow* row : order) ok += row->status == JobStatus::succeeded ? 1u : 0u;
    line(fmt::format("and {} more ({} ok, {} of the causes above); --full lists them",
                     report_.jobs.size() - order.size(), report_.jobs_ok - ok,
                     report_.jobs.size() - order.size() - (report_.jobs_ok - ok)));
  }
}

void Page::cost() {
  const Spent& all = report_.spent;
  if (all.requests == 0 && report_.attempts == 0) return;
  std::string text = cost_of_work(all, report_.attempts);
  if (report_.spent_failed.known() && all.nanodollars > 0) {
    text += fmt::format("; {} ({}) on jobs that did not succeed",
                        render::money_text(report_.spent_failed.nanodollars),
                        percent_text(report_.spent_failed.nanodollars, all.nanodollars));
  }
  if (report_.spent_retried.known()) {
    text += fmt::format("; {} on attempts that were repeated",
                        render::money_text(report_.spent_retried.nanodollars));
  }
  if (all.unreported > 0)
    text += fmt::format("; {} report no usage", render::plural(all.unreported, "request"));
  out_ += "\n";
  sentence(bold("COST") + "       " + text, {}, 0);
}

void Page::secrets() {
  if (report_.secrets.empty()) return;
  title("SECRETS", render::count_text(report_.secrets.size()));
  for (const Secret& secret : report_.secrets) {
    std::string text =
        fmt::format("{}{} characters in {}", secret.prefix.empty() ? "" : secret.prefix + "..., ",
                    secret.bytes, secret.where);
    if (secret.job != 0)
      text += fmt::format(" of {}/{}", job_id(report_, secret.job), secret.attempt);
    text += fmt::format(", found by {}", secret.rule);
    if (secret.places > 1) text += fmt::format(", in {} places", secret.places);
    if (secret.masked) text += ", masked before it was stored";
    if (!secret.masked && !secret.looked_everywhere)
      text += "; not every text of the run was searched for it";
    sentence(text, secret.found_in.empty() ? secret.events : Events());
    std::string list;
    const std::size_t most =
        brief() ? std::min(few, secret.found_in.size()) : secret.found_in.size();
    for (std::size_t i = 0; i < most; ++i) {
      const SecretPlace& place = secret.found_in[i];
      list += fmt::format("{}{}{} #{}", list.empty() ? "" : ", ", place.where,
                          place.times > 1 ? fmt::format(" ({})", place.times) : "", place.event);
    }
    if (most < secret.found_in.size())
      list += fmt::format(" and {} more", secret.found_in.size() - most);
    if (!list.empty()) sentence("in " + list, {}, 4);
    if (brief() && &secret == &report_.secrets[std::min(report_.secrets.size(), few) - 1]) break;
  }
}

void Page::writes() {
  if (report_.writes.empty() && report_.writes_note.empty()) return;
  out_ += "\n";
  sentence(
      bold("WRITES") + fmt::format("     {}{}{}", render::plural(report_.writes.size(), "path"),
                                   report_.writes_note.empty() ? "" : "; ",
                                   fmt::join(report_.writes_note, "; ")),
      {}, 0);
  // What lies where it must not comes first.
  std::vector<const WriteRow*> order;
  for (const WriteRow& row : report_.writes) order.push_back(&row);
  std::ranges::stable_sort(order, {},
                           [](const WriteRow* row) { return is_harmless(*row) ? 1 : 0; });
  std::size_t shown = 0;
  for (const WriteRow* each : order) {
    const WriteRow& row = *each;
    if (brief() && ++shown > few) {
      line(fmt::format("and {} more; --full lists them", order.size() - few));
      break;
    }
    sentence(fmt::format("{}  {} by {}/{} ({}), {}{}{}", shortened(row.path, 80), row.change,
                         job_id(report_, row.job), row.attempt, row.attribution, row.zone,
                         row.detail.empty() ? "" : "; ", shortened(row.detail, 80)),
             row.events);
  }
}

void Page::again() {
  if (report_.again.empty() && report_.again_note.empty()) return;
  out_ += "\n";
  sentence(bold("AGAIN") + "      " + fmt::format("{}", fmt::join(report_.again_note, "; ")), {},
           0);
  std::size_t shown = 0;
  for (const Relative& other : report_.again) {
    if (brief() && ++shown > few) break;
    sentence(fmt::format("{} {}: {}", other.relation, other.run_id, other.text), {});
  }
}

void Page::verdicts() {
  const Verdicts& verdicts = report_.verdicts;
  if (verdicts.agree == 0 && verdicts.differ.empty()) return;
  out_ += "\n";
  const std::size_t all = verdicts.agree + verdicts.differ.size();
  std::string text =
      verdicts.recorded_by == verdicts.judged_by
          ? fmt::format("{}, as recorded", verdicts.judged_by)
          : fmt::format("recorded by {}, judged by {}", verdicts.recorded_by, verdicts.judged_by);
  const char* ended = all < report_.jobs_total ? " that ended" : "";
  if (all == 1 && verdicts.differ.empty()) {
    text += fmt::format("; they agree on the one job{}", ended);
  } else if (verdicts.differ.empty()) {
    text += fmt::format("; they agree on all {}{}", all, ended);
  } else {
    text += fmt::format("; they agree on {} of {}{}", verdicts.agree, all, ended);
  }
  sentence(bold("VERDICTS") + "   " + text, {}, 0);
  std::size_t shown = 0;
  for (const VerdictRow& row : verdicts.differ) {
    if (brief() && ++shown > few) {
      line(fmt::format("and {} more; --full lists them", verdicts.differ.size() - few));
      break;
    }
    sentence(fmt::format("{}: {} {} -> {} {} ({})", job_id(report_, row.job),
                         schema::EnumNameJobStatus(row.recorded),
                         schema::EnumNameFailureKind(row.recorded_kind),
                         schema::EnumNameJobStatus(row.judged),
                         schema::EnumNameFailureKind(row.judged_kind), shortened(row.reason, 80)),
             row.events);
  }
  for (const Finding& each : verdicts.consequences) sentence(each.text, each.events);
}

void Page::violations() {
  if (report_.violations.empty()) return;
  title("POLICY", fmt::format("{} broken", render::plural(report_.violations.size(), "rule")));
  std::size_t shown = 0;
  for (const Violation& broken : report_.violations) {
    if (brief() && ++shown > jobs_brief) {
      line(fmt::format("and {} more; --full lists them", report_.violations.size() - jobs_brief));
      break;
    }
    sentence(fmt::format("{}: {}", broken.rule, broken.text), broken.events);
  }
}

void Page::record() {
  out_ += "\n";
  bool first = true;
  for (const Finding& finding : report_.record) {
    if (first) {
      sentence(bold("RECORD") + "     " + finding.text, finding.events, 0);
    } else {
      sentence(finding.text, finding.events);
    }
    first = false;
  }
}

void Page::unknown() {
  if (report_.unknown.empty()) return;
  sentence(bold("NOT KNOWN") + "  " + fmt::format("{}", fmt::join(report_.unknown, ", ")), {}, 0);
}

void Page::foot() {
  std::string hint = fmt::format("pievt log {}", report_.short_id);
  for (const JobRow& row : report_.jobs) {
    if (row.status == JobStatus::succeeded || row.attempts == 0) continue;
    hint += fmt::format(" ; pievt why {}/{}", report_.short_id, row.id);
    // What was not captured is no check of anything.
    if (row.has_output) hint += fmt::format(" ; pievt output {}/{}", report_.short_id, row.id);
    break;
  }
  out_ += fmt::format("exit {}     check any line: {}\n", exit_code(report_), hint);
}

}  // namespace pievt::audit
