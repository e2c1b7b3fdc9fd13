// Markdown for a ticket, in the order in which it is read: verdict, causes, what can be used, jobs,
// checks that were not met, secrets, the record. CommonMark with tables. What agents wrote is
// escaped: it cannot become a heading, a link, an image or a mention.
#include <map>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/audit/build.h"
#include "tools/audit/text.h"
#include "tools/exporters/run_tables.h"
#include "tools/render/sanitise.h"
#include "tools/render/text.h"

namespace pievt::tools {
namespace {

std::string md(std::string_view text) {
  std::string out;
  for (const char c : render::one_line(text)) {
    if (std::string_view("\\`*_{}[]()#+-.!|<>~@&:").find(c) != std::string_view::npos && c != '.' &&
        c != '-' && c != ':' && c != '(' && c != ')')
      out += '\\';
    out += c;
  }
  return out;
}

// `attempts`: of whoever spent it. Nobody who was never tried spent anything.
std::string money(const state::UsageTotalsT* usage, std::size_t attempts) {
  if (attempts == 0) return "none";
  if (usage == nullptr || usage->requests <= usage->unreported) return "not reported";
  std::string text = render::money_text(usage->cost_nanodollars);
  if (usage->unreported != 0) text += fmt::format(" known, {} not reported", usage->unreported);
  return text;
}

class Markdown final : public Exporter {
 public:
  explicit Markdown(Export& work) : work_(work), run_(work.state) {}

  Status end() override {
    const audit::Material material = PIEVT_TRY(audit::gather(work_.source));
    const audit::RunReport report = audit::build_report(material, {});
    verdict();
    causes(report);
    usable(report);
    jobs();
    checks();
    secrets(report);
    record();
    return {};
  }

 private:
  template <class... T>
  void print(fmt::format_string<T...> format, T&&... values) {
    work_.out.write(fmt::format(format, std::forward<T>(values)...));
  }
  void heading(std::string_view title) {
    ++work_.manifest.items_out;
    print("\n## {}\n\n", title);
  }

  void verdict() {
    ++work_.manifest.items_out;
    std::map<schema::JobStatus, std::uint64_t> counts;
    std::uint64_t attempts = 0;
    for (const auto& job : run_.jobs) {
      ++counts[job->status];
      attempts += job->attempts.size();
    }
    std::vector<std::string> words;
    for (const auto& [status, count] : counts)
      words.push_back(fmt::format(
          "{} {}", count,
          status == schema::JobStatus::unknown ? "open" : schema::EnumNameJobStatus(status)));
    print("# {}: {}\n\n", md(run_.name.empty() ? run_.run_id : run_.name),
          run_.phase == state::RunPhase::finished ? schema::EnumNameRunEnding(run_.ending)
                                                  : state::EnumNameRunPhase(run_.phase));
    const std::uint64_t to = run_.finished_ns != 0 ? run_.finished_ns : run_.updated_ns;
    print("Run `{}`, {}: {}, {}, {}, cost {}.\n", run_.run_id,
          render::rfc3339(static_cast<std::int64_t>(run_.planned_ns), render::Zone::utc),
          words.empty() ? "no jobs" : fmt::format("{}", fmt::join(words, ", ")),
          render::plural(attempts, "attempt"),
          render::duration_text(static_cast<std::int64_t>(to - std::min(to, run_.planned_ns))),
          money(run_.usage.get(), attempts));
    if (!run_.reason.empty()) print("\n{}\n", md(run_.reason));
  }

  std::string names(const std::vector<std::uint32_t>& jobs) const {
    constexpr std::size_t most = 12;
    std::vector<std::string> names;
    for (const std::uint32_t number : std::span(jobs).first(std::min(jobs.size(), most))) {
      const JobState* job = find_job(run_, number);
      names.push_back(
          job == nullptr ? "_probe" : fmt::format("{} (#{})", md(job->id), job->finished_revision));
    }
    if (jobs.size() > most) names.push_back(fmt::format("and {} more", jobs.size() - most));
    return fmt::format("{}", fmt::join(names, ", "));
  }

  static std::string behind(const audit::Events& events) {
    return events.empty() ? "" : " (" + audit::events_text(events) + ")";
  }

  // As the audit groups them, the largest first; what only follows is folded.
  void causes(const audit::RunReport& report) {
    if (report.causes.empty()) return;
    heading("Causes");
    for (const audit::Cause& cause : report.causes) {
      print("- **{}**{}{}{}\n  {}: {}\n", md(cause.title), cause.seen.empty() ? "" : ": ",
            md(cause.seen), behind(cause.events), render::plural(cause.jobs.size(), "job"),
            names(cause.jobs));
      for (const std::string& detail : cause.details) print("  - {}\n", md(detail));
      if (!cause.consequences.empty())
        print("  - because of it {} never began: {}\n",
              render::plural(cause.consequences.size(), "job"), names(cause.consequences));
    }
  }

  void usable(const audit::RunReport& report) {
    std::vector<std::string> lines;
    for (const audit::Usable& usable : report.usable) {
      const JobState* job = find_job(run_, usable.job);
      if (!usable.accepted || job == nullptr) continue;
      std::string line = fmt::format("- {}", md(job->id));
      if (!job->attempts.empty() && !job->attempts.back()->final_excerpt.empty())
        line += fmt::format(": {}", md(job->attempts.back()->final_excerpt));
      if (!usable.verdict.empty()) line += fmt::format("\n  - {}", md(usable.verdict));
      for (const audit::Finding& weak : usable.weak)
        line += fmt::format("\n  - weak: {}{}", md(weak.text), behind(weak.events));
      lines.push_back(std::move(line));
    }
    if (lines.empty()) return;
    heading("What can be used");
    for (const std::string& line : lines) print("{}\n", line);
  }

  void secrets(const audit::RunReport& report) {
    if (report.secrets.empty()) return;
    heading("Secrets");
    for (const audit::Secret& secret : report.secrets)
      print("- {}... ({} characters, {}) in {}{}\n", md(secret.prefix), secret.bytes,
            md(secret.rule), md(secret.where), behind(secret.events));
  }

  void jobs() {
    heading("Jobs");
    print(
        "| job | status | why | attempts | time | cost | events |\n"
        "|---|---|---|--:|--:|--:|---|\n");
    for (const auto& job : run_.jobs) {
      ++work_.manifest.items_out;
      print("| {} | {} | {} | {} | {} | {} | #{} to #{} |\n", md(job->id),
            job->status == schema::JobStatus::unknown ? state::EnumNameJobPhase(job->phase)
                                                      : schema::EnumNameJobStatus(job->status),
            md(job->reason), job->attempts.size(),
            render::duration_text(static_cast<std::int64_t>(job->duration_ms) * 1'000'000),
            money(job->usage.get(), job->attempts.size()), job->declared_revision,
            std::max(job->finished_revision, job->declared_revision));
    }
  }

  void checks() {
    bool first = true;
    for (const auto& gate : run_.gates) {
      for (const auto& check : gate->checks) {
        if (check->status != schema::CheckStatus::failed) continue;
        if (std::exchange(first, false)) heading("Checks that were not met");
        const JobState* job = find_job(run_, gate->job);
        print("- {} attempt {}, {} {}: {} (#{}){}\n", md(job == nullptr ? "_probe" : job->id),
              gate->attempt, md(check->kind), md(check->target), md(seen_by(*check)),
              gate->decided_revision,
              follows(job) ? fmt::format(", a consequence: the job failed by {}",
                                         schema::EnumNameFailureKind(job->failure))
                           : "");
      }
    }
  }

  // Of a job that failed before its contract could be met, an unmet check says nothing new.
  static bool follows(const JobState* job) {
    using schema::FailureKind;
    return job != nullptr && job->failure != FailureKind::none &&
           job->failure != FailureKind::unknown && job->failure != FailureKind::acceptance_failed;
  }

  void record() {
    heading("Record");
    print(
        "Made by pievt {} from {}, {}. SHA-256 of the events: `{}`.\n\n"
        "Not in here: {}. Look with `pievt show {}`, `pievt log {} --at N`.\n",
        md(work_.options.pievt_version), md(work_.manifest.origin), manifest_text(work_.manifest),
        work_.manifest.events_digest, find_exporter("markdown")->cannot, run_.run_id, run_.run_id);
  }

  Export& work_;
  const RunState& run_;
};

}  // namespace

std::unique_ptr<Exporter> make_markdown(Export& work) {
  return std::make_unique<Markdown>(work);
}

}  // namespace pievt::tools
