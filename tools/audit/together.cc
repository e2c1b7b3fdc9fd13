#include "tools/audit/together.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/audit/words.h"

namespace pievt::audit {
namespace {

// What causes of two runs have in common when they are one: not how long it lasted.
std::string title_of(const Cause& cause) {
  const std::size_t lasted = cause.title.rfind(" for ");
  return is_provider(cause.kind) && lasted != std::string::npos ? cause.title.substr(0, lasted)
                                                                : cause.title;
}

bool is_same(const JointCause& joint, const Cause& cause, const std::string& title) {
  return joint.kind == cause.kind && without_numbers(joint.title) == without_numbers(title);
}

void add_causes_of(Together& all, const RunReport& report) {
  for (const Cause& cause : report.causes) {
    std::string title = title_of(cause);
    auto found = std::ranges::find_if(
        all.causes, [&](const JointCause& joint) { return is_same(joint, cause, title); });
    if (found == all.causes.end()) {
      all.causes.push_back({std::move(title), cause.kind, {}, 0});
      found = all.causes.end() - 1;
    }
    JointCause::Part part{
        report.short_id, cause.number, {}, cause.consequences.size(), cause.events};
    for (const std::uint32_t job : cause.jobs) part.jobs.push_back(job_id(report, job));
    found->jobs += cause.jobs.size();
    found->parts.push_back(std::move(part));
  }
}

// A run and its rerun mostly ask for the same: then it is asked for once, and both are named. Each
// leaked secret is one of its own.
void add_need(Together& all, const RunReport& report, const Finding& need) {
  const auto same = std::ranges::find_if(
      all.needs_you, [&](const OfRun& other) { return other.finding.text == need.text; });
  if (same == all.needs_you.end() || need.text.find("(see SECRETS)") != std::string::npos) {
    all.needs_you.push_back({report.short_id, need, {}});
  } else {
    same->also.push_back(report.short_id);
  }
}

// What a later run repeats is that one's to mend: its rerun says what is left.
bool was_repeated(Together& all, const RunReport& report) {
  const auto rerun = std::ranges::find(report.again, "rerun", &Relative::relation);
  if (rerun == report.again.end()) return false;
  all.repeated.push_back({report.short_id,
                          {fmt::format("was run again as {}: {}", rerun->run_id, rerun->text), {}},
                          {}});
  return true;
}

void add_actions_of(Together& all, const RunReport& report) {
  if (was_repeated(all, report)) return;
  for (const Action& action : report.actions) {
    // Advice without a command is the same advice whatever example each run has for it.
    const std::string text =
        action.command.empty() ? action.text.substr(0, action.text.find(": ")) : action.text;
    const auto found = std::ranges::find(all.actions, text, &JointAction::text);
    if (found == all.actions.end()) {
      all.actions.push_back({text, {}, action.jobs, action.nanodollars});
      if (!action.command.empty()) all.actions.back().commands.push_back(action.command);
      continue;
    }
    found->jobs += action.jobs;
    if (!action.command.empty()) found->commands.push_back(action.command);
    if (found->nanodollars && action.nanodollars) {
      *found->nanodollars += *action.nanodollars;
    } else {
      found->nanodollars.reset();
    }
  }
}

std::string counts_text(const Together& all) {
  std::string text = fmt::format("{} of {} runs failed", all.runs_failed, all.runs);
  if (all.runs_open > 0) text += fmt::format(", {} not ended", all.runs_open);
  return text;
}

std::string part_text(const JointCause::Part& part, std::size_t most) {
  std::string text = part.run + ":";
  const std::size_t shown = std::min(most, part.jobs.size());
  for (std::size_t i = 0; i < shown; ++i) text += " " + part.jobs[i];
  if (shown < part.jobs.size()) text += fmt::format(" and {} more", part.jobs.size() - shown);
  if (part.consequences > 0)
    text += fmt::format(", so never began: {}", render::plural(part.consequences, "job"));
  return text;
}

std::string price_text(const JointAction& action) {
  if (action.jobs == 0) return "";
  return fmt::format("   {}, {}", render::plural(action.jobs, "job"),
                     action.nanodollars
                         ? fmt::format("about {}", render::money_text(*action.nanodollars))
                         : std::string("price not known"));
}

class LeadPage {
 public:
  LeadPage(std::span<const RunReport> reports, const TextStyle& style)
      : reports_(reports), style_(style), all_(together_of(reports)) {}

  std::string write() {
    head();
    title("NOW");
    for (const OfRun& each : all_.needs_you)
      sentence(
          fmt::format(
              "{}{}: {}{}", bold("NEEDS YOU: "), each.run, each.finding.text,
              each.also.empty() ? "" : fmt::format(" The same in {}.", fmt::join(each.also, ", "))),
          each.finding.events);
    for (const OfRun& each : all_.now)
      sentence(fmt::format("{}: {}", each.run, each.finding.text), each.finding.events);
    if (all_.runs_open == 0) sentence("Nothing of these runs is alive.", {});
    runs();
    causes();
    actions();
    return std::move(out_);
  }

 private:
  bool brief() const { return style_.length == Length::brief; }
  std::size_t most(std::size_t rows) const { return brief() ? rows : SIZE_MAX; }
  std::string bold(std::string_view text) const {
    return render::styled(style_.terminal, render::Style::bold, text);
  }
  void title(std::string_view text) { out_ += fmt::format("\n{}\n", bold(text)); }
  void sentence(std::string_view text, const Events& events, std::size_t indent = 2) {
    out_ += wrapped(text, events, indent, style_);
  }
  std::string clock(std::uint64_t ns) const {
    const auto at = static_cast<std::int64_t>(ns);
    return fmt::format("{}, {}", render::clock_text(at, style_.zone),
                       render::date_text(at, style_.zone));
  }

  void head() {
    out_ += fmt::format("{}   {}   {} of {} jobs ok   {}   {}\n",
                        bold(fmt::format("pievt audit of {} runs", all_.runs)), counts_text(all_),
                        all_.jobs_ok, all_.jobs_total, render::plural(all_.attempts, "attempt"),
                        spent_text(all_.spent, static_cast<std::uint32_t>(all_.attempts)));
    out_ += fmt::format("{} - {} {}\n", clock(all_.begin_ns), clock(all_.end_ns),
                        render::zone_text(static_cast<std::int64_t>(all_.begin_ns), style_.zone));
  }

  void runs() {
    constexpr std::size_t rows = 12;
    std::size_t shown = 0, width = 4;
    for (const RunReport& report : reports_) width = std::max(width, report.short_id.size());
    for (const RunReport& report : reports_) {
      if (++shown > most(rows)) {
        sentence(fmt::format("and {} more", reports_.size() - rows), {});
        break;
      }
      const auto look = report.failed  ? render::Style::bad
                        : report.ended ? render::Style::good
                                       : render::Style::warn;
      const std::string status(report.status);
      out_ +=
          fmt::format("  {:<{}}  {}{}  {:>3} of {:<3} jobs ok   {}{}\n", report.short_id, width,
                      render::styled(style_.terminal, look, status),
                      std::string(status.size() < 11 ? 11 - status.size() : 0, ' '), report.jobs_ok,
                      report.jobs_total, spent_text(report.spent, report.attempts),
                      report.name == report.run_id ? "" : "   " + shortened(report.name, 40));
    }
    for (const OfRun& each : all_.repeated)
      sentence(fmt::format("{} {}", each.run, each.finding.text), each.finding.events);
  }

  void causes() {
    if (all_.causes.empty()) return;
    title("FIRST CAUSES");
    constexpr std::size_t parts = 6, ids = 6;
    for (std::size_t i = 0; i < all_.causes.size(); ++i) {
      const JointCause& cause = all_.causes[i];
      sentence(
          fmt::format("{}  {:<44}  {} in {}", i + 1, cause.title, render::plural(cause.jobs, "job"),
                      render::plural(cause.parts.size(), "run")),
          {});
      std::size_t shown = 0;
      for (const JointCause::Part& part : cause.parts) {
        if (++shown > most(parts)) {
          sentence(fmt::format("and in {} more", render::plural(cause.parts.size() - parts, "run")),
                   {}, 5);
          break;
        }
        sentence(part_text(part, most(ids)), part.events, 5);
      }
    }
  }

  void actions() {
    if (all_.actions.empty()) return;
    title("WHAT TO DO");
    char letter = 'a';
    for (const JointAction& action : all_.actions) {
      sentence(fmt::format("{}  {}{}", letter, action.text, price_text(action)), {});
      for (const std::string& command : action.commands) sentence(bold(command), {}, 5);
      letter = letter == 'z' ? 'z' : static_cast<char>(letter + 1);
    }
  }

  std::span<const RunReport> reports_;
  const TextStyle& style_;
  Together all_;
  std::string out_;
};

void write_numbers(render::JsonWriter& json, const Events& events) {
  json.key("events").begin_array();
  for (const std::uint64_t event : events) json.value(event);
  json.end_array();
}

void write_of_runs(render::JsonWriter& json, std::string_view key, const std::vector<OfRun>& list) {
  json.key(key).begin_array();
  for (const OfRun& each : list) {
    json.begin_object().member("run", each.run).member("text", each.finding.text);
    json.key("also").begin_array();
    for (const std::string& run : each.also) json.value(run);
    json.end_array();
    write_numbers(json, each.finding.events);
    json.end_object();
  }
  json.end_array();
}

void write_joint_causes(render::JsonWriter& json, const std::vector<JointCause>& causes) {
  json.key("causes").begin_array();
  for (const JointCause& cause : causes) {
    json.begin_object()
        .member("title", cause.title)
        .member("kind", schema::EnumNameFailureKind(cause.kind))
        .member("jobs", cause.jobs);
    json.key("parts").begin_array();
    for (const JointCause::Part& part : cause.parts) {
      json.begin_object().member("run", part.run).member("cause", part.number);
      json.key("jobs").begin_array();
      for (const std::string& job : part.jobs) json.value(job);
      json.end_array().member("consequences", part.consequences);
      write_numbers(json, part.events);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

void write_joint_actions(render::JsonWriter& json, const std::vector<JointAction>& actions) {
  json.key("actions").begin_array();
  for (const JointAction& action : actions) {
    json.begin_object().member("text", action.text).member("jobs", action.jobs);
    json.key("cost_nanodollars");
    if (action.nanodollars) {
      json.value(*action.nanodollars);
    } else {
      json.null();
    }
    json.key("commands").begin_array();
    for (const std::string& command : action.commands) json.value(command);
    json.end_array().end_object();
  }
  json.end_array();
}

}  // namespace

Together together_of(std::span<const RunReport> reports) {
  Together all;
  for (const RunReport& report : reports) {
    ++all.runs;
    all.runs_failed += report.failed ? 1u : 0u;
    all.runs_open += report.ended ? 0u : 1u;
    all.jobs_ok += report.jobs_ok;
    all.jobs_total += report.jobs_total;
    all.attempts += report.attempts;
    all.begin_ns = all.begin_ns == 0 ? report.begin_ns : std::min(all.begin_ns, report.begin_ns);
    all.end_ns = std::max(all.end_ns, report.end_ns);
    all.spent += report.spent;
    for (const Finding& need : report.needs_you) add_need(all, report, need);
    if (!report.ended) {
      for (const Finding& now : report.now) all.now.push_back({report.short_id, now, {}});
    }
    add_causes_of(all, report);
    add_actions_of(all, report);
  }
  std::ranges::stable_sort(
      all.causes, [](const JointCause& a, const JointCause& b) { return a.jobs > b.jobs; });
  std::ranges::stable_sort(
      all.actions, [](const JointAction& a, const JointAction& b) { return a.jobs > b.jobs; });
  return all;
}

std::string together_text(std::span<const RunReport> reports, const TextStyle& style) {
  return reports.size() < 2 ? std::string() : LeadPage(reports, style).write();
}

std::string together_markdown(std::span<const RunReport> reports, const TextStyle& style) {
  if (reports.size() < 2) return "";
  // The page as it stands, without a terminal's colours: a block that no id can end.
  const TextStyle bare{.terminal = {}, .zone = style.zone, .length = style.length};
  return fmt::format("# {} runs\n\n````text\n{}````\n", reports.size(),
                     LeadPage(reports, bare).write());
}

void write_together(render::JsonWriter& json, std::span<const RunReport> reports) {
  json.key("together");
  if (reports.size() < 2) {
    json.null();
    return;
  }
  const Together all = together_of(reports);
  json.begin_object()
      .member("runs", all.runs)
      .member("runs_failed", all.runs_failed)
      .member("runs_open", all.runs_open)
      .member("jobs_ok", all.jobs_ok)
      .member("jobs_total", all.jobs_total)
      .member("attempts", all.attempts);
  write_of_runs(json, "needs_you", all.needs_you);
  write_of_runs(json, "now", all.now);
  write_of_runs(json, "repeated", all.repeated);
  write_joint_causes(json, all.causes);
  write_joint_actions(json, all.actions);
  json.end_object();
}

}  // namespace pievt::audit
