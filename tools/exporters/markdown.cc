// Markdown for a ticket, in the order in which it is read: verdict, causes, what can be used, jobs,
// checks that were not met, the record. CommonMark with tables. What agents wrote is escaped: it
// cannot become a heading, a link, an image or a mention.
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

std::string money(const state::UsageTotalsT* usage) {
  if (usage == nullptr || usage->requests == 0) return "none";
  std::string text = render::money_text(usage->cost_nanodollars);
  if (usage->unreported != 0) text += fmt::format(" known, {} not reported", usage->unreported);
  return text;
}

struct CauseKey {
  schema::FailureKind failure;
  std::string reason;
  auto operator<=>(const CauseKey&) const = default;
};

class Markdown final : public Exporter {
 public:
  explicit Markdown(Export& work) : work_(work), run_(work.state) {}

  Status end() override {
    verdict();
    causes();
    usable();
    jobs();
    checks();
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
          money(run_.usage.get()));
    if (!run_.reason.empty()) print("\n{}\n", md(run_.reason));
  }

  // Jobs that ended for the same reason, the largest group first; what only follows is folded.
  void causes() {
    std::map<CauseKey, std::vector<const JobState*>> groups;
    for (const auto& job : run_.jobs) {
      const bool failed =
          job->status != schema::JobStatus::succeeded && job->status != schema::JobStatus::unknown;
      if (failed) groups[{job->failure, job->reason}].push_back(job.get());
    }
    if (groups.empty()) return;
    std::vector<std::pair<CauseKey, std::vector<const JobState*>>> sorted(groups.begin(),
                                                                          groups.end());
    std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) {
      const bool a_follows = a.first.failure == schema::FailureKind::dependency_failed;
      const bool b_follows = b.first.failure == schema::FailureKind::dependency_failed;
      return a_follows != b_follows ? b_follows : a.second.size() > b.second.size();
    });
    heading("Causes");
    for (const auto& [cause, members] : sorted) {
      std::vector<std::string> names;
      for (const JobState* job : members)
        if (names.size() < 12)
          names.push_back(fmt::format("{} (#{})", md(job->id), job->finished_revision));
      if (members.size() > names.size())
        names.push_back(fmt::format("and {} more", members.size() - names.size()));
      print("- **{}**: {}\n  {}: {}\n", schema::EnumNameFailureKind(cause.failure),
            md(cause.reason), render::plural(members.size(), "job"), fmt::join(names, ", "));
    }
  }

  void usable() {
    std::vector<std::string> lines;
    for (const auto& job : run_.jobs) {
      if (job->status != schema::JobStatus::succeeded) continue;
      std::string line = fmt::format("- {}", md(job->id));
      if (!job->attempts.empty() && !job->attempts.back()->final_excerpt.empty())
        line += fmt::format(": {}", md(job->attempts.back()->final_excerpt));
      for (const std::string& weak : job->weak) line += fmt::format("\n  - weak: {}", md(weak));
      lines.push_back(std::move(line));
    }
    if (lines.empty()) return;
    heading("What can be used");
    for (const std::string& line : lines) print("{}\n", line);
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
            money(job->usage.get()), job->declared_revision,
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
        print("- {} attempt {}, {} {}: {}{}{} (#{})\n", md(job == nullptr ? "_probe" : job->id),
              gate->attempt, md(check->kind), md(check->target), md(check->expected),
              check->expected.empty() ? "" : "; found: ", md(check->actual),
              gate->decided_revision);
      }
    }
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
