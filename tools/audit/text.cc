#include "tools/audit/text.h"

#include "tools/audit/text_page.h"

namespace pievt::audit {
namespace {

using render::Style;

std::string products_text(const Usable& usable) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(usable.products.size(), 3); ++i) {
    const Product& product = usable.products[i];
    text += fmt::format("{}{}{}", i == 0 ? "" : ", ", shortened(product.path, 60),
                        product.bytes ? "  " + render::bytes_text(*product.bytes) : "");
  }
  if (usable.products.size() > 3) text += fmt::format(" and {} more", usable.products.size() - 3);
  return text;
}

}  // namespace

void Page::head() {
  const std::uint64_t took =
      report_.end_ns > report_.begin_ns ? report_.end_ns - report_.begin_ns : 0;
  out_ += fmt::format("{}        {}, ruleset {}\n", bold("pievt audit " + report_.run_id),
                      report_.source, report_.ruleset);
  const Style look = report_.failed ? Style::bad : report_.ended ? Style::good : Style::warn;
  std::string failed;
  if (report_.jobs_failed > 0) failed = fmt::format(", {} failed", report_.jobs_failed);
  out_ += fmt::format("{}   {}   {} of {} jobs ok{}   {}   {}   {}\n", report_.name,
                      render::styled(style_.terminal, look, report_.status), report_.jobs_ok,
                      report_.jobs_total, failed, render::plural(report_.attempts, "attempt"),
                      span_text(took), spent_text(report_.spent, report_.attempts));
  out_ += fmt::format("{} - {} {}, {}     {}{}{} at once\n", clock(report_.begin_ns),
                      clock(report_.end_ns),
                      render::zone_text(static_cast<std::int64_t>(report_.begin_ns), style_.zone),
                      render::date_text(static_cast<std::int64_t>(report_.begin_ns), style_.zone),
                      report_.models, report_.models.empty() ? "" : ", ", report_.concurrency);
}

void Page::now() {
  title("NOW");
  for (const Finding& finding : report_.needs_you)
    sentence(bold("NEEDS YOU: ") + finding.text, finding.events);
  for (const Finding& finding : report_.now) sentence(finding.text, finding.events);
}

void Page::causes() {
  if (report_.causes.empty()) return;
  title("FIRST CAUSES");
  for (const Cause& cause : report_.causes) {
    std::string text =
        fmt::format("{}  {:<44}  {}", cause.number, cause.title, ids(cause.jobs, few));
    if (!cause.seen.empty()) text += fmt::format("   {}", cause.seen);
    if (cause.begin_ns != 0 && cause.end_ns > cause.begin_ns)
      text += fmt::format("  {} - {}", clock(cause.begin_ns), clock(cause.end_ns));
    if (cause.begin_ns != 0 && cause.end_ns == cause.begin_ns)
      text += fmt::format("  at {}", clock(cause.begin_ns));
    sentence(text, cause.events);
    if (!cause.consequences.empty())
      sentence("so never began: " + ids(cause.consequences, few), {}, 5);
    for (const std::string& detail : cause.details) sentence(detail, {}, 5);
  }
}

void Page::usable() {
  if (report_.usable.empty()) return;
  title("WHAT YOU CAN USE");
  std::size_t width = 2, shown = 0, left_out = 0;
  for (const Usable& usable : report_.usable)
    width = std::max(width, std::min<std::size_t>(job_id(report_, usable.job).size(), 24));
  std::vector<std::uint32_t> nothing, half;
  // Weak successes first: they are what somebody has to look at.
  std::vector<const Usable*> order;
  for (const Usable& usable : report_.usable) {
    if (usable.accepted) order.push_back(&usable);
    if (!usable.accepted) (usable.products.empty() ? nothing : half).push_back(usable.job);
  }
  if (brief() && order.size() > usable_brief) {
    std::ranges::stable_sort(
        order, [](const Usable* a, const Usable* b) { return a->weak.size() > b->weak.size(); });
  }
  for (const Usable* usable : order) {
    if (brief() && shown >= usable_brief) {
      ++left_out;
      continue;
    }
    ++shown;
    const std::string products = products_text(*usable);
    line(fmt::format("{:<{}}  {}{}{}", job_id(report_, usable->job), width, products,
                     products.empty() ? "" : "    ", usable->verdict));
    for (const Finding& weak : usable->weak) sentence("weak: " + weak.text, weak.events, width + 4);
  }
  if (left_out > 0) line(fmt::format("and {} more; --full lists them", left_out));
  for (const std::uint32_t job : half) {
    const auto found = std::ranges::find(report_.usable, job, &Usable::job);
    sentence(fmt::format("{}  half done: {}", job_id(report_, job), products_text(*found)), {});
    if (brief() && &job == &half[std::min(half.size(), few) - 1]) break;
  }
  if (!nothing.empty()) {
    sentence(
        fmt::format(
            "{}      nothing written{}", ids(nothing, few),
            report_.writes_walked ? "" : " (by tool calls; what a shell wrote was not observed)"),
        {});
  }
}

void Page::actions() {
  if (report_.actions.empty()) return;
  title("WHAT TO DO");
  char letter = 'a';
  for (const Action& action : report_.actions) {
    std::string text = fmt::format("{}  {}", letter, action.text);
    letter = letter == 'z' ? 'z' : static_cast<char>(letter + 1);
    if (!action.command.empty()) text += fmt::format(": {}", bold(action.command));
    if (action.jobs > 0) text += fmt::format("   {}", render::plural(action.jobs, "job"));
    if (action.nanodollars)
      text +=
          fmt::format(", about {} ({})", render::money_text(*action.nanodollars), action.priced_by);
    else if (action.jobs > 0)
      text += ", price not known";
    sentence(text, {});
    for (const std::string& detail : action.details) sentence(detail, {}, 5);
  }
}

void Page::timeline() {
  const std::string picture =
      timeline_text(report_, story_, style_, brief() ? rows_brief : SIZE_MAX);
  if (picture.empty() && report_.timeline.empty()) return;
  out_ += "\n" + picture;
  const std::size_t most = brief() ? few : report_.timeline.size();
  for (std::size_t i = 0; i < std::min(most, report_.timeline.size()); ++i)
    sentence(report_.timeline[i].text, report_.timeline[i].events);
  if (most < report_.timeline.size())
    line(fmt::format("and {} more; --full lists them", report_.timeline.size() - most));
}

std::string wrapped(std::string_view text, const Events& events, std::size_t indent,
                    const TextStyle& style) {
  std::string all(text), out;
  if (const std::string names = events_text(events); !names.empty()) all += "  " + names;
  const std::size_t width =
      style.terminal.is_tty ? static_cast<std::size_t>(style.terminal.width) : std::size_t{110};
  const std::size_t room = std::max<std::size_t>(width > indent + 2 ? width - indent : 20, 20);
  for (bool first = true; !all.empty(); first = false) {
    const std::size_t fits = first ? room : std::max<std::size_t>(room - 2, 18);
    std::size_t cut = all.size();
    if (all.size() > fits) {
      cut = all.rfind(' ', fits);
      if (cut == std::string::npos || cut == 0) cut = std::min(all.find(' ', fits), all.size());
    }
    std::string_view shown = std::string_view(all).substr(0, cut);
    while (shown.ends_with(' ')) shown.remove_suffix(1);
    out += std::string(first ? indent : indent + 2, ' ');
    out += shown;
    out += '\n';
    const std::size_t next = all.find_first_not_of(' ', cut);
    all = next == std::string::npos ? std::string() : all.substr(next);
  }
  return out;
}

std::string events_text(const Events& events, std::size_t most) {
  if (events.empty()) return "";
  if (events.size() > most) return fmt::format("#{} - #{}", events.front(), events.back());
  std::string text;
  for (const std::uint64_t event : events)
    text += fmt::format("{}#{}", text.empty() ? "" : " ", event);
  return text;
}

std::string cost_of_work(const Spent& spent, std::uint32_t attempts) {
  return spent.requests == 0 && attempts > 0 ? "not reported" : money_of(spent);
}

std::string tokens_of_work(const Spent& spent, std::uint32_t attempts) {
  return spent.requests == 0 && attempts > 0 ? "not reported" : tokens_of(spent);
}

std::string spent_text(const Spent& spent, std::uint32_t attempts) {
  if (spent.known()) return fmt::format("{} tokens   {}", tokens_of(spent), money_of(spent));
  return attempts == 0 && spent.requests == 0 ? "nothing spent" : "tokens and cost not reported";
}

std::string money_of(const Spent& spent) {
  if (spent.requests == 0) return "-";
  if (!spent.known()) return "not reported";
  const std::string money = render::money_text(spent.nanodollars);
  return spent.unreported > 0 ? ">= " + money : money;
}

std::string tokens_of(const Spent& spent) {
  if (spent.requests == 0) return "-";
  if (!spent.known()) return "not reported";
  return render::count_short(spent.total_tokens);
}

std::string report_text(const RunReport& report, const RunStory& story, const TextStyle& style) {
  return Page(report, story, style).write();
}

}  // namespace pievt::audit
