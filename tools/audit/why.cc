#include "tools/audit/why.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/query.h"
#include "tools/audit/attempt_scan.h"
#include "tools/audit/build.h"
#include "tools/audit/words.h"
#include "tools/audit/would_change.h"

namespace pievt::audit {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

constexpr std::size_t chain_max = 24;
/// So many attempts before the one in question are looked through for what they wrote.
constexpr std::size_t scanned_max = 4;

std::string paths_of(const std::vector<AttemptScan::Call>& calls) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(calls.size(), 3); ++i)
    text += fmt::format("{}{} #{}", i == 0 ? "" : ", ", shortened(calls[i].path, 80),
                        calls[i].revision);
  if (calls.size() > 3) text += fmt::format(" and {} more", calls.size() - 3);
  return text;
}

std::string brief(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : shortened(text->str(), 160);
}

// One line on the events that decide; empty for those that do not.
std::string line_of(const EventView& event) {
  std::string line;
  visit(event,
        overloaded{
            [&](const JobFinished& e) {
              line = fmt::format("{} {}", EnumNameJobStatus(e.status()), brief(e.reason()));
            },
            [&](const JobJudged& e) {
              line = fmt::format("{} by {}: {}", EnumNameJobStatus(e.status()), brief(e.ruleset()),
                                 brief(e.reason()));
            },
            [&](const JobRetryScheduled& e) {
              line = fmt::format("attempt {} after {}", e.attempt(),
                                 span_text(e.delay_ms() * 1'000'000));
            },
            [&](const JobCancelRequested& e) { line = brief(e.reason()); },
            [&](const GateDecided& e) {
              line = fmt::format("{} {}", EnumNameGateDecision(e.decision()), brief(e.reason()));
            },
            [&](const AttemptClassified& e) {
              line = fmt::format("{}, {}: {}", EnumNameEnding(e.ending()),
                                 EnumNameFailureKind(e.failure()),
                                 e.error() != nullptr && e.error()->size() > 0 ? brief(e.error())
                                                                               : brief(e.reason()));
            },
            [&](const AttemptExited& e) {
              line = e.knowledge() != ExitKnowledge::observed ? "ended, and nobody saw how"
                     : e.signal() != 0 ? fmt::format("signal {} sent by {}", e.signal(),
                                                     EnumNameSignalSender(e.sender()))
                                       : fmt::format("exit code {}", e.exit_code());
            },
            [&](const AttemptStopRequested& e) {
              line = fmt::format("signal {} because of {}", e.signal(),
                                 EnumNameStopReason(e.reason()));
            },
            [&](const AttemptLaunchFailed& e) { line = brief(e.error()); },
            [&](const AttemptLost& e) {
              line = fmt::format("{} {}", EnumNameLostReason(e.reason()), brief(e.detail()));
            },
            [&](const AttemptLaunchRequested&) { line = "was to be started"; },
            [&](const ReportSubmitted& e) {
              line = fmt::format("{}: {}", EnumNameReportStatus(e.status()), brief(e.summary()));
            },
            [&](const ReportRefused& e) { line = brief(e.reason()); },
            [&](const SilenceObserved& e) {
              line = fmt::format("silent for {} while {}", span_text(e.silent_ms() * 1'000'000),
                                 EnumNameActivity(e.activity()));
            },
            [&](const LimitReached& e) {
              line =
                  fmt::format("{}: {} of {}", EnumNameLimitKind(e.limit()), e.used(), e.allowed());
            },
            [&](const FinalMessageObserved& e) {
              line = fmt::format("\"{}\" ({} bytes)", brief(e.excerpt()), e.text_bytes());
            },
            [&](const ProviderRetryStarted& e) {
              line = fmt::format("pi asks again, {} of {}: {}", e.attempt(), e.max_attempts(),
                                 brief(e.error()));
            },
            [&](const UsageRecorded& e) {
              if (e.error() != nullptr && e.error()->size() > 0)
                line = fmt::format("the provider: {}", brief(e.error()));
            },
        });
  return line;
}

WhyStep step_of(const EventView& event) {
  return {event.revision().value, event.time_ns(), event.head().causation(),
          std::string(type_name(event.type())), line_of(event)};
}

class Explainer {
 public:
  Explainer(const Log& log, const RunState& run, const JobState& job, const AttemptState* attempt)
      : log_(log), run_(run), job_(job), attempt_(attempt) {}

  Result<Why> explain(const Ruleset* again) {
    why_.run_id = run_.run_id;
    why_.job = job_.id;
    why_.ended = job_.phase == state::JobPhase::finished;
    if (attempt_ != nullptr) why_.attempt = attempt_->number;
    PIEVT_TRY(chain());
    recorded();
    checks();
    rests_on();
    PIEVT_TRY(earlier());
    PIEVT_TRY(first_cause());
    if (again != nullptr && attempt_ != nullptr) judge_again_by(*again);
    why_.would_change = would_change(run_, job_, attempt_, why_.recorded);
    return std::move(why_);
  }

 private:
  const GateState* gate() const {
    return attempt_ == nullptr ? nullptr : asked_gate(run_, job_.number, attempt_->number);
  }
  bool last() const {
    return attempt_ == nullptr || attempt_->number == job_.attempts.back()->number;
  }

  // From the end of the job, or of the attempt, backwards.
  Status chain() {
    std::uint64_t from = attempt_ == nullptr ? job_.finished_revision : attempt_->last_revision;
    if (last()) from = std::max({from, job_.finished_revision, job_.judged_revision});
    if (from == 0) return {};
    const std::uint64_t first =
        attempt_ == nullptr ? job_.declared_revision : attempt_->first_revision;
    const std::uint64_t stop =
        std::max<std::uint64_t>(first, from > stretch_max ? from - stretch_max : 1);
    scan_.whole = stop == first;
    auto reader = log_.read_stream(run_stream(run_.run_id), {from}, {stop}, Direction::backward);
    while (reader.next()) take(reader.event());
    PIEVT_TRY(reader.status());
    return stop > first ? add_single(first) : Status();
  }

  // The start of the attempt, where it lies before the stretch that was read.
  Status add_single(std::uint64_t revision) {
    auto reader = log_.read_stream(run_stream(run_.run_id), {revision}, {revision});
    while (reader.next()) take(reader.event());
    return reader.status();
  }

  void take(const EventView& event) {
    const Head& head = event.head();
    if (head.job() != job_.number) return;
    if (attempt_ != nullptr && head.attempt() != 0 && head.attempt() != attempt_->number) return;
    visit(event, overloaded{[&](const JobJudged& e) {
            if (attempt_ != nullptr && head.attempt() != attempt_->number) return;
            if (why_.recorded.revision != 0) return;
            why_.recorded.revision = event.revision().value;
            why_.recorded.ruleset = e.ruleset() == nullptr ? "" : e.ruleset()->str();
            why_.recorded.status = e.status();
            why_.recorded.failure = e.failure();
            why_.recorded.ending = e.ending();
            why_.recorded.blocking = e.blocking();
            why_.recorded.retry = e.retry();
            why_.recorded.reason = brief(e.reason());
            if (e.weak() != nullptr) {
              for (const auto* line : *e.weak()) why_.recorded.weak.push_back(brief(line));
            }
            if (e.evidence() != nullptr) {
              for (const std::uint64_t each : *e.evidence()) add_event(why_.evidence, each);
            }
          }});
    if (attempt_ != nullptr && head.attempt() == attempt_->number) scan_.take(event);
    WhyStep step = step_of(event);
    const bool provider = event.type() == schema::Payload::UsageRecorded ||
                          event.type() == schema::Payload::ProviderRetryStarted;
    if (step.text.empty()) return;
    // Of many failed requests the last and the first are enough.
    if (provider && ++failures_ > 2) {
      earliest_failure_ = std::move(step);
      return;
    }
    const bool finals = event.type() == schema::Payload::FinalMessageObserved;
    if (finals && seen_final_) return;
    seen_final_ = seen_final_ || finals;
    if (why_.chain.size() < chain_max) why_.chain.push_back(std::move(step));
  }

  void recorded() {
    WhyVerdict& verdict = why_.recorded;
    if (verdict.revision == 0) {
      verdict.status = job_.status;
      verdict.failure = job_.failure;
      verdict.reason = job_.reason;
      verdict.ruleset = run_.ruleset;
      verdict.revision = job_.finished_revision;
    }
    if (last() && why_.ended) verdict.status = job_.status;
    if (verdict.reason.empty() && attempt_ != nullptr) verdict.reason = attempt_->reason;
    verdict.rule = rule_of(verdict, attempt_, gate());
    if (earliest_failure_) {
      const auto place = std::ranges::find_if(why_.chain, [&](const WhyStep& step) {
        return step.revision < earliest_failure_->revision;
      });
      why_.chain.insert(place, *earliest_failure_);
    }
  }

  void checks() {
    const GateState* asked = gate();
    if (asked == nullptr) return;
    for (const auto& seen : asked->checks) {
      why_.checks.push_back({seen->kind, shortened(seen->target), shortened(seen->expected),
                             shortened(seen->actual), shortened(seen->excerpt), seen->status,
                             asked->decided_revision});
    }
  }

  // The verdict's own evidence and, where the record names none, the events that decided: what
  // follows from a failure (a file that is missing after it) is none of them.
  void rests_on() {
    if (attempt_ == nullptr) return;
    const WhyVerdict& verdict = why_.recorded;
    const bool contract =
        verdict.status == JobStatus::succeeded || verdict.failure == FailureKind::acceptance_failed;
    if (const GateState* asked = gate(); asked != nullptr && contract)
      add_event(why_.evidence, asked->decided_revision);
    if (reported()) add_event(why_.evidence, attempt_->report_revision);
    if (!reported() && is_provider(verdict.failure)) {
      add_event(why_.evidence, scan_.first_failure);
      add_event(why_.evidence, scan_.last_failure);
    }
    if (why_.evidence.empty() || !(contract || reported()))
      add_event(why_.evidence, scan_.classified);
  }

  // Whether the worker's own report says that it could not do it.
  bool reported() const {
    return attempt_ != nullptr && (attempt_->report_status == ReportStatus::blocked ||
                                   attempt_->report_status == ReportStatus::error);
  }

  Status earlier() {
    std::vector<AttemptScan::Call> before;
    std::uint32_t writer = 0;
    for (const auto& each : job_.attempts) {
      if (attempt_ != nullptr && each->number >= attempt_->number) break;
      std::string line = fmt::format(
          "attempt {}: {}, {}  #{}-#{}", each->number, EnumNameFailureKind(each->failure),
          shortened(each->last_error.empty() ? each->reason : each->last_error, 100),
          each->first_revision, each->last_revision);
      if (attempt_ != nullptr && each->number + scanned_max >= attempt_->number) {
        const AttemptScan scan = PIEVT_TRY(scan_attempt(log_, run_, job_.number, *each));
        if (auto written = scan.written(); !written.empty()) {
          line += fmt::format("; it wrote {}", paths_of(written));
          before = std::move(written);
          writer = each->number;
        }
      }
      why_.earlier.push_back(std::move(line));
    }
    if (!before.empty() && scan_.whole && scan_.written().empty()) {
      why_.earlier.push_back(fmt::format(
          "attempt {} made no write or edit call that worked: what it leaves is attempt "
          "{}'s",
          attempt_->number, writer));
    }
    return {};
  }

  // A job that never ran stands for the one it waited for, and that one for its own, to the end.
  Status first_cause() {
    const JobState* at = &job_;
    std::vector<std::uint32_t> seen;
    while (at->status == JobStatus::skipped || at->failure == FailureKind::dependency_failed) {
      if (std::ranges::find(seen, at->number) != seen.end()) break;
      seen.push_back(at->number);
      const JobState* because = nullptr;
      for (const auto& dependency : at->depends_on) {
        const JobState* other = pievt::find_job(run_, dependency->job);
        if (other != nullptr && other->phase == state::JobPhase::finished &&
            other->status != JobStatus::succeeded)
          because = other;
      }
      if (because == nullptr) break;
      add_event(why_.first_cause_events, because->finished_revision);
      why_.chain.push_back(
          {because->finished_revision, 0, 0, "JobFinished",
           fmt::format("{}: {} {}", shortened(because->id, 60), EnumNameJobStatus(because->status),
                       shortened(because->reason))});
      at = because;
    }
    if (at != &job_) {
      why_.first_cause = fmt::format("{} {}: {}", shortened(at->id, 60),
                                     EnumNameJobStatus(at->status), cause_of(*at));
      return {};
    }
    if (why_.recorded.status == JobStatus::succeeded || attempt_ == nullptr) return {};
    why_.first_cause = cause_of(job_);
    if (reported()) {
      why_.first_cause = fmt::format(
          "the worker reported {}: {}",
          attempt_->report_status == ReportStatus::blocked ? "itself blocked" : "an error",
          shortened(attempt_->report_summary, 160));
      add_event(why_.first_cause_events, attempt_->report_revision);
      return {};
    }
    if (why_.recorded.failure == FailureKind::acceptance_failed) {
      if (const GateState* asked = gate())
        add_event(why_.first_cause_events, asked->decided_revision);
      return {};
    }
    // The first attempt is where it began to go wrong.
    const AttemptState& first = *job_.attempts.front();
    const AttemptScan begin = first.number == attempt_->number
                                  ? scan_
                                  : PIEVT_TRY(scan_attempt(log_, run_, job_.number, first));
    add_event(why_.first_cause_events,
              begin.first_failure != 0 ? begin.first_failure : begin.classified);
    add_event(why_.first_cause_events,
              scan_.last_failure != 0 ? scan_.last_failure : scan_.classified);
    return {};
  }

  std::string cause_of(const JobState& job) const {
    if (job.attempts.empty()) return shortened(job.reason);
    const AttemptState& last = *job.attempts.back();
    if (!last.launch_error.empty()) return shortened(last.launch_error);
    if (job.failure == FailureKind::acceptance_failed || last.last_error.empty())
      return job.reason.empty() ? shortened(last.reason) : shortened(job.reason, 160);
    return shortened(last.last_error, 160);
  }

  void judge_again_by(const Ruleset& ruleset) {
    const Judgement now = ruleset.judge(*attempt_, gate());
    WhyVerdict verdict;
    verdict.ruleset = ruleset.name;
    verdict.status = now.status;
    verdict.failure = now.failure;
    verdict.ending = now.ending;
    verdict.blocking = now.blocking;
    verdict.reason = now.reason;
    verdict.weak = now.weak;
    verdict.rule = rule_of(verdict, attempt_, gate());
    why_.judged = std::move(verdict);
  }

  const Log& log_;
  const RunState& run_;
  const JobState& job_;
  const AttemptState* attempt_;
  Why why_;
  std::uint64_t failures_ = 0;
  std::optional<WhyStep> earliest_failure_;
  AttemptScan scan_;
  bool seen_final_ = false;
};

}  // namespace

Result<Why> explain(const Log& log, const RunState& run, std::uint32_t number,
                    std::uint32_t attempt, const Ruleset* again) {
  const JobState* job = pievt::find_job(run, number);
  if (job == nullptr) return Error{Errc::not_found, "that job was not declared at that moment"};
  const AttemptState* asked = nullptr;
  if (attempt != 0) {
    asked = pievt::find_attempt(run, number, attempt);
    if (asked == nullptr)
      return Error{Errc::not_found, "that attempt had not begun at that moment"};
  } else if (!job->attempts.empty()) {
    asked = job->attempts.back().get();
  }
  return Explainer(log, run, *job, asked).explain(again);
}

}  // namespace pievt::audit
