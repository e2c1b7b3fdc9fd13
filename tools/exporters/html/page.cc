// What can be read without the script, on paper and on a narrow screen is plain HTML: verdict,
// causes, the table of jobs, the end. The picture is drawn by the script from the data.
//
// Agents' output is hostile. Every text is escaped here or goes in by textContent there, and the
// page's own policy allows nothing but the one style and the one script whose digests it names.
#include "tools/exporters/html/page.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "tools/exporters/base64.h"
#include "tools/exporters/html/page_assets.h"
#include "tools/exporters/html/page_parts.h"
#include "tools/exporters/story_of.h"
#include "tools/render/sanitise.h"
#include "tools/render/text.h"

namespace pievt::tools {
namespace html {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : render::sanitise(text, render::Lines::one)) {
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

Causes causes_of(const RunState& run) {
  Causes causes;
  std::map<std::pair<schema::FailureKind, std::string>, Cause> groups;
  for (const auto& job : run.jobs) {
    if (job->status == schema::JobStatus::succeeded || job->status == schema::JobStatus::unknown)
      continue;
    Cause& cause = groups[{job->failure, job->reason}];
    cause.failure = job->failure;
    cause.reason = job->reason;
    cause.follows = job->failure == schema::FailureKind::dependency_failed;
    cause.jobs.push_back(job->number);
  }
  for (auto& [key, cause] : groups) causes.list.push_back(std::move(cause));
  std::ranges::stable_sort(causes.list, [](const Cause& a, const Cause& b) {
    return a.follows != b.follows ? b.follows : a.jobs.size() > b.jobs.size();
  });
  for (std::size_t i = 0; i < causes.list.size(); ++i)
    for (const std::uint32_t job : causes.list[i].jobs) causes.of_job[job] = static_cast<int>(i);
  return causes;
}

}  // namespace html

namespace {

using html::escaped;

/// More rows than this nobody scrolls through; the rest is in the picture.
constexpr std::size_t table_rows_max = 2000;
constexpr std::size_t causes_shown_max = 3;

std::string_view glyph_of(schema::JobStatus status) {
  switch (status) {
    case schema::JobStatus::succeeded:
      return "\u2713";
    case schema::JobStatus::skipped:
    case schema::JobStatus::cancelled:
      return "\u2298";
    case schema::JobStatus::unknown:
      return "\u2026";
    case schema::JobStatus::blocked:
      return "!";
    case schema::JobStatus::needs_review:
      return "?";
    default:
      return "\u2717";
  }
}

std::string_view class_of(schema::JobStatus status) {
  if (status == schema::JobStatus::succeeded) return "ok";
  if (status == schema::JobStatus::skipped || status == schema::JobStatus::cancelled ||
      status == schema::JobStatus::unknown)
    return "dim";
  return status == schema::JobStatus::blocked || status == schema::JobStatus::needs_review ? "warn"
                                                                                           : "bad";
}

std::string cost_text(const state::UsageTotalsT* usage) {
  if (usage == nullptr || usage->requests == usage->unreported) return "not reported";
  return fmt::format("{}{}", render::money_text(usage->cost_nanodollars),
                     usage->unreported == 0 ? "" : " known");
}

std::string source_digest(std::string_view text) {
  const Digest digest = sha256(std::as_bytes(std::span(text)));
  std::string coded;
  append_base64(coded, digest);
  return coded;
}

class Html final : public Exporter {
 public:
  explicit Html(Export& work) : work_(work), run_(work.state) {}

  Status event(const EventView& event) override {
    const auto* observed = event.envelope->payload_as_WritesObserved();
    if (observed == nullptr || observed->writes() == nullptr) return {};
    auto& lines = writes_[{event.head().job(), event.head().attempt()}];
    for (const schema::Write* write : *observed->writes()) {
      lines.push_back(fmt::format("{} {}, {}, {} (#{})", write->path()->string_view(),
                                  schema::EnumNameWriteChange(write->change()),
                                  schema::EnumNameAttribution(write->attribution()),
                                  schema::EnumNameWriteZone(write->zone()),
                                  event.revision().value));
    }
    return {};
  }

  Status end() override {
    const RunStory story = PIEVT_TRY(story_of(work_.source));
    causes_ = html::causes_of(run_);
    html::TextBudget budget;
    const std::string data = PIEVT_TRY(html::page_data(work_, story, causes_, writes_, budget));
    work_.manifest.items_out = run_.jobs.size() + story.attempts.size();
    head();
    verdict(story);
    causes();
    picture();
    jobs();
    foot(budget);
    work_.out.write("<script type=\"application/json\" id=\"data\">");
    work_.out.write(data);
    work_.out.write("</script>\n<script>");
    work_.out.write(html::page_script);
    work_.out.write("</script>\n</body></html>\n");
    return {};
  }

 private:
  template <class... T>
  void print(fmt::format_string<T...> format, T&&... values) {
    work_.out.write(fmt::format(format, std::forward<T>(values)...));
  }

  void head() {
    print(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "script-src 'sha256-{}'; style-src 'sha256-{}'; style-src-attr 'none'; base-uri 'none'; "
        "form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<title>{} - pievt</title>\n<style>{}</style></head><body>\n",
        source_digest(html::page_script), source_digest(html::page_style),
        escaped(run_.name.empty() ? run_.run_id : run_.name), html::page_style);
  }

  void verdict(const RunStory& story) {
    const bool over = run_.phase == state::RunPhase::finished;
    const bool good = over && run_.ending == schema::RunEnding::succeeded;
    std::map<schema::JobStatus, std::size_t> counts;
    for (const auto& job : run_.jobs) ++counts[job->status];
    print("<header><h1>{}</h1><span class=\"verdict {}\">{} {}</span><code>{}</code></header>\n",
          escaped(run_.name.empty() ? run_.run_id : run_.name),
          good   ? "ok"
          : over ? "bad"
                 : "warn",
          good   ? "\u2713"
          : over ? "\u2717"
                 : "\u2026",
          over ? schema::EnumNameRunEnding(run_.ending) : state::EnumNameRunPhase(run_.phase),
          escaped(run_.run_id));
    work_.out.write("<div class=\"blocks\">");
    for (const auto& [status, count] : counts) {
      // A block a job, or one with a number where there are many.
      const std::size_t blocks = run_.jobs.size() <= 60 ? count : 1;
      for (std::size_t i = 0; i < blocks; ++i)
        print("<span class=\"{}\" title=\"{}\">{}{}</span>", class_of(status),
              schema::EnumNameJobStatus(status), glyph_of(status),
              blocks == count ? "" : fmt::format(" {}", render::count_text(count)));
    }
    std::string words;
    for (const auto& [status, count] : counts)
      words += fmt::format(
          "{}{} {}", words.empty() ? "" : ", ", count,
          status == schema::JobStatus::unknown ? "open" : schema::EnumNameJobStatus(status));
    const auto duration = static_cast<std::int64_t>(story.last.at_ns - story.planned.at_ns);
    print(
        "</div>\n<ul class=\"facts\"><li><b>{}</b> of {}</li><li><b>{}</b></li>"
        "<li>cost <b>{}</b></li><li>{}</li><li>{}</li><li>record: <b>{}</b>, complete, not proven "
        "here</li></ul>\n",
        words.empty() ? "nothing" : words, render::plural(run_.jobs.size(), "job"),
        render::duration_text(duration), cost_text(run_.usage.get()),
        render::plural(story.attempts.size(), "attempt"),
        render::rfc3339(static_cast<std::int64_t>(run_.planned_ns), render::Zone::utc),
        render::plural(work_.manifest.events_in, "event"));
    if (!run_.reason.empty()) print("<p>{}</p>\n", escaped(run_.reason));
  }

  void causes() {
    if (causes_.list.empty()) return;
    work_.out.write("<h2>Causes</h2>\n<div class=\"causes\">\n");
    for (std::size_t i = 0; i < std::min(causes_.list.size(), causes_shown_max); ++i) {
      const html::Cause& cause = causes_.list[i];
      std::string evidence;
      for (std::size_t k = 0; k < std::min<std::size_t>(cause.jobs.size(), 4); ++k) {
        const JobState* job = find_job(run_, cause.jobs[k]);
        evidence +=
            fmt::format("{}{} #{}", k == 0 ? "" : ", ", escaped(job->id), job->finished_revision);
      }
      if (cause.jobs.size() > 4) evidence += fmt::format(" and {} more", cause.jobs.size() - 4);
      print(
          "<section class=\"cause{}\" data-cause=\"{}\"><button type=\"button\" "
          "aria-pressed=\"false\">{}: {}</button><p>{}</p><p class=\"dim\">{}</p>",
          cause.follows ? " follows" : "", i, render::plural(cause.jobs.size(), "job"),
          schema::EnumNameFailureKind(cause.failure), escaped(cause.reason), evidence);
      if (!cause.follows)
        print("<p><code>pievt why {}/{}</code></p>", escaped(run_.run_id),
              escaped(find_job(run_, cause.jobs.front())->id));
      work_.out.write("</section>\n");
    }
    work_.out.write("</div>\n");
    if (causes_.list.size() > causes_shown_max)
      print("<p class=\"dim\">and {} more; the table of jobs has them all</p>\n",
            causes_.list.size() - causes_shown_max);
  }

  void picture() {
    work_.out.write(
        "<div class=\"picture\"><h2>Timeline</h2>\n<div class=\"legend\" aria-hidden=\"true\">"
        "<span>\u2500 pale: waits for a slot or other jobs</span><span>\u2016 stripes: starting"
        "</span><span>\u2588 solid: model</span><span>\u2571 hatched: tool</span><span>\u2026 "
        "dotted:"
        " waits for the provider</span><span>| red tick: provider error</span><span>\u25c6 gate, "
        "barred: not met</span><span>\u2506 line through all: supervisor lost, stop, throttle"
        "</span><span>\u2248 folded: nothing ran</span></div>\n"
        "<div id=\"picture\"><canvas id=\"axis\"></canvas><div id=\"rows\" tabindex=\"0\" "
        "role=\"application\" aria-label=\"Timeline of jobs. Arrow keys move, Enter opens.\">"
        "<div id=\"space\"><canvas id=\"fall\"></canvas></div></div>"
        "<canvas id=\"curves\"></canvas><div id=\"tip\"></div></div>"
        "<p id=\"said\" class=\"dim\" aria-live=\"polite\"></p></div>\n"
        "<aside id=\"panel\" hidden aria-label=\"Details of a job\"></aside>\n");
  }

  void jobs() {
    std::vector<const JobState*> order;
    for (const auto& job : run_.jobs) order.push_back(job.get());
    // What failed stands first; within that, in the order of the plan.
    std::ranges::stable_sort(order, {}, [&](const JobState* job) {
      const auto found = causes_.of_job.find(job->number);
      return found == causes_.of_job.end() ? INT32_MAX : found->second;
    });
    print(
        "<h2>Jobs</h2>\n<table><thead><tr><th>job</th><th>status</th><th>why</th>"
        "<th class=\"num wide\">attempts</th><th class=\"num wide\">time</th>"
        "<th class=\"num wide\">cost</th><th class=\"wide\">events</th></tr></thead><tbody>\n");
    for (const JobState* job : std::span(order).first(std::min(order.size(), table_rows_max))) {
      const auto cause = causes_.of_job.find(job->number);
      print(
          "<tr data-cause=\"{}\"><td><button type=\"button\" data-job=\"{}\">{}</button></td>"
          "<td class=\"{}\">{}&nbsp;{}</td><td>{}</td><td class=\"num wide\">{}</td>"
          "<td class=\"num wide\">{}</td><td class=\"num wide\">{}</td>"
          "<td class=\"wide\">#{}-#{}</td></tr>\n",
          cause == causes_.of_job.end() ? -1 : cause->second, job->number - 1, escaped(job->id),
          class_of(job->status), glyph_of(job->status),
          job->status == schema::JobStatus::unknown ? state::EnumNameJobPhase(job->phase)
                                                    : schema::EnumNameJobStatus(job->status),
          escaped(job->reason), job->attempts.size(),
          render::duration_text(static_cast<std::int64_t>(job->duration_ms) * 1'000'000),
          cost_text(job->usage.get()), job->declared_revision,
          std::max(job->declared_revision, job->finished_revision));
    }
    work_.out.write("</tbody></table>\n");
    if (order.size() > table_rows_max)
      print("<p class=\"dim\">and {} more, which are in the timeline</p>\n",
            order.size() - table_rows_max);
  }

  void foot(const html::TextBudget& budget) {
    print("<footer><h2>What this page does not contain</h2><p>{}.", find_exporter("html")->cannot);
    if (budget.shortened != 0)
      print(" {} shortened to keep the page small.", render::plural(budget.shortened, "text"));
    if (budget.absent != 0)
      print(" {} not there: redacted, or never stored.", render::plural(budget.absent, "text"));
    print(
        " Nothing was fetched from anywhere, and nothing is.</p>\n"
        "<p>{}</p><p>Made by pievt {} from {}. SHA-256 of its {}: <code>{}</code></p></footer>\n",
        escaped(manifest_text(work_.manifest)), escaped(work_.options.pievt_version),
        escaped(work_.manifest.origin), render::plural(work_.manifest.events_in, "event"),
        work_.manifest.events_digest);
  }

  Export& work_;
  const RunState& run_;
  html::Causes causes_;
  html::Writes writes_;
};

}  // namespace

bool carried_by_html(schema::Payload type) {
  return carried_by_story(type) || type == schema::Payload::WritesObserved;
}

std::unique_ptr<Exporter> make_html(Export& work) {
  return std::make_unique<Html>(work);
}

}  // namespace pievt::tools
