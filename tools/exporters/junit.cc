// JUnit XML has no owner; this is the form that Jenkins, GitLab and GitHub's reporters agree on. A
// job is a test case. What XML 1.0 cannot hold (most control characters) becomes U+FFFD.
#include <array>

#include <fmt/format.h>

#include "tools/exporters/run_tables.h"
#include "tools/render/text.h"
#include "tools/render/utf8.h"

namespace pievt::tools {
namespace {

std::string xml(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const render::Decoded decoded = render::decode_utf8(text, at);
    const char32_t c = decoded.code_point;
    const bool allowed = decoded.valid && (c == '\t' || c == '\n' || c == '\r' || c >= 0x20) &&
                         c != 0xFFFE && c != 0xFFFF && !(c >= 0x7F && c < 0xA0);
    if (!allowed) {
      render::append_utf8(out, 0xFFFD);
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += fmt::format("&#{};", static_cast<std::uint32_t>(c));
    } else {
      out += text.substr(at, decoded.size);
    }
    at += decoded.size;
  }
  return out;
}

enum class Outcome : std::uint8_t { passed, failed, error, skipped };

// A failure is what the work did not meet; an error is what kept it from being done.
Outcome outcome_of(const JobState& job) {
  using F = schema::FailureKind;
  switch (job.status) {
    case schema::JobStatus::succeeded:
      return Outcome::passed;
    case schema::JobStatus::skipped:
    case schema::JobStatus::cancelled:
    case schema::JobStatus::unknown:
      return Outcome::skipped;
    default:
      break;
  }
  switch (job.failure) {
    case F::acceptance_failed:
    case F::audit_failed:
    case F::worker_incomplete:
    case F::empty_final:
    case F::truncated:
      return Outcome::failed;
    default:
      return Outcome::error;
  }
}

class Junit final : public Exporter {
 public:
  explicit Junit(Export& work) : work_(work) {}

  Status end() override {
    const RunState& run = work_.state;
    work_.manifest.items_out = run.jobs.size();  // before the account is written
    std::array<std::uint64_t, 4> counts{};
    for (const auto& job : run.jobs) ++counts[static_cast<std::size_t>(outcome_of(*job))];
    const std::uint64_t to = run.finished_ns != 0 ? run.finished_ns : run.updated_ns;
    const double seconds =
        to > run.planned_ns ? static_cast<double>(to - run.planned_ns) / 1e9 : 0.0;
    work_.out.print(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
        "time=\"{:.3f}\" timestamp=\"{}\">\n    <properties>\n",
        xml(run.name.empty() ? run.run_id : run.name), run.jobs.size(), counts[1], counts[2],
        counts[3], seconds,
        // Without an offset: the schema of many readers has a dateTime of its own idea.
        render::rfc3339(static_cast<std::int64_t>(run.planned_ns), render::Zone::utc,
                        render::Precision::seconds)
            .substr(0, 19));
    property("run", run.run_id);
    property("ruleset", run.ruleset);
    property("pi_version", run.pi_version);
    property("events_sha256", work_.manifest.events_digest);
    property("manifest", manifest_text(work_.manifest));
    work_.out.write("    </properties>\n");
    for (const auto& job : run.jobs) write(*job);
    work_.out.write("  </testsuite>\n</testsuites>\n");
    return {};
  }

 private:
  void property(std::string_view name, std::string_view value) {
    work_.out.print("      <property name=\"{}\" value=\"{}\"/>\n", name, xml(value));
  }

  void write(const JobState& job) {
    const Outcome outcome = outcome_of(job);
    work_.out.print("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n",
                    xml(work_.state.name.empty() ? work_.state.run_id : work_.state.name),
                    xml(job.id), static_cast<double>(job.duration_ms) / 1e3);
    if (outcome == Outcome::skipped) {
      work_.out.print("      <skipped message=\"{}\"/>\n", xml(job.reason));
    } else if (outcome != Outcome::passed) {
      const std::string_view tag = outcome == Outcome::failed ? "failure" : "error";
      work_.out.print("      <{} type=\"{}\" message=\"{}\">{}</{}>\n", tag,
                      schema::EnumNameFailureKind(job.failure), xml(job.reason), xml(story(job)),
                      tag);
    }
    if (!job.attempts.empty() && !job.attempts.back()->final_excerpt.empty())
      work_.out.print("      <system-out>{}</system-out>\n",
                      xml(job.attempts.back()->final_excerpt));
    work_.out.write("    </testcase>\n");
  }

  // What each attempt and each check that was not met say, with their events.
  std::string story(const JobState& job) const {
    std::string text;
    for (const auto& attempt : job.attempts) {
      text += fmt::format("attempt {} (#{}-#{}): {}: {}\n", attempt->number,
                          attempt->first_revision, attempt->last_revision,
                          schema::EnumNameEnding(attempt->ending), attempt->reason);
    }
    for (const auto& gate : work_.state.gates) {
      if (gate->job != job.number) continue;
      for (const auto& check : gate->checks) {
        if (check->status != schema::CheckStatus::failed) continue;
        text += fmt::format("#{} {} {}: {}\n", gate->decided_revision, check->kind, check->target,
                            seen_by(*check));
      }
    }
    return text;
  }

  Export& work_;
};

}  // namespace

std::unique_ptr<Exporter> make_junit(Export& work) {
  return std::make_unique<Junit>(work);
}

}  // namespace pievt::tools
