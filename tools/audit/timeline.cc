// What the picture of the timeline shows, in sentences: throttle, supervisors, silences, waits.
#include <algorithm>

#include <fmt/format.h>

#include "tools/audit/build.h"
#include "tools/audit/words.h"

namespace pievt::audit {
namespace {

std::uint64_t end_of(const RunStory& story) {
  return story.end() != nullptr ? story.end()->at.at_ns : story.last.at_ns;
}

// Failed requests after `at_ns`, by attempts that had begun before it and by later ones.
struct After {
  std::uint64_t old_ones = 0, new_ones = 0, ok_new = 0;
};
After after(const RunStory& story, std::uint64_t at_ns) {
  After count;
  for (const story::Attempt& attempt : story.attempts) {
    const bool begun = attempt.requested.at_ns <= at_ns;
    for (const story::Request& request : attempt.requests) {
      if (request.answered.at_ns <= at_ns) continue;
      if (!request.failed) {
        count.ok_new += begun ? 0u : 1u;
      } else {
        ++(begun ? count.old_ones : count.new_ones);
      }
    }
  }
  return count;
}

// How long jobs waited for a slot while fewer might run than before.
std::string kept_waiting(const Material& material, std::uint64_t from_ns, std::uint64_t to_ns) {
  std::string text;
  std::size_t more = 0;
  for (const story::Job& job : material.story.jobs) {
    for (const story::Wait& wait : job.waits) {
      if (wait.kind != story::WaitKind::slot) continue;
      const std::uint64_t begin = std::max(from_ns, wait.span.begin.at_ns);
      const std::uint64_t end =
          std::min(to_ns, wait.span.end.known() ? wait.span.end.at_ns : to_ns);
      if (end <= begin || end - begin < 50'000'000) continue;
      if (text.size() > 60) {
        ++more;
        continue;
      }
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", shortened(job.id, 40),
                          span_text(end - begin));
    }
  }
  if (more > 0) text += fmt::format(" and {} more", more);
  return text;
}

void tell_throttle(RunReport& report, const Material& material) {
  const auto& steps = material.story.throttles;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const story::Throttle& down = steps[i];
    if (down.to >= down.from) continue;
    const auto up =
        std::ranges::find_if(steps.begin() + static_cast<std::ptrdiff_t>(i) + 1, steps.end(),
                             [&](const auto& s) { return s.to >= down.from; });
    const std::uint64_t until = up == steps.end() ? end_of(material.story) : up->at.at_ns;
    const After later = after(material.story, down.at.at_ns);
    Finding finding;
    add_event(finding.events, down.at.revision);
    finding.text = fmt::format("Throttle {}->{}: ", down.from, down.to);
    if (later.new_ones == 0 && later.old_ones == 0) {
      finding.text += "no request failed after it";
    } else if (later.new_ones == 0) {
      finding.text +=
          fmt::format("the {} requests that still failed were of attempts that had begun already",
                      later.old_ones);
    } else {
      finding.text += fmt::format("{} requests of attempts begun after it failed, {} succeeded",
                                  later.new_ones, later.ok_new);
    }
    if (const std::string waited = kept_waiting(material, down.at.at_ns, until); !waited.empty())
      finding.text += fmt::format("; waiting for a slot meanwhile: {}", waited);
    if (up != steps.end()) {
      add_event(finding.events, up->at.revision);
      const bool too_late = std::ranges::none_of(
          material.story.attempts, [&](const auto& a) { return a.requested.at_ns > up->at.at_ns; });
      finding.text +=
          fmt::format("; back to {}{}", up->to, too_late ? " after the last job had begun" : "");
    }
    finding.text += later.new_ones == 0 ? ". It did no visible good." : ".";
    report.timeline.push_back(std::move(finding));
  }
}

void tell_supervisors(RunReport& report, const Material& material) {
  for (const story::Supervision& part : material.story.supervisions) {
    if (!part.died()) continue;
    std::string running;
    for (const story::Attempt& attempt : material.story.attempts) {
      const bool alive = attempt.launched.known() &&
                         attempt.launched.at_ns <= part.last_seen.at_ns &&
                         (!attempt.exited.known() || attempt.exited.at_ns > part.last_seen.at_ns);
      if (!alive || attempt.job == 0 || running.size() > 80) continue;
      running +=
          fmt::format("{}{}/{}", running.empty() ? "" : ", ",
                      shortened(material.story.jobs[attempt.job - 1].id, 30), attempt.number);
    }
    Finding finding;
    add_event(finding.events, part.last_seen.revision);
    add_event(finding.events, part.taken_over.revision);
    finding.text = fmt::format(
        "The supervisor died after #{}; {} was running; the next one took "
        "over {} later.",
        part.last_seen.revision, running.empty() ? "nothing" : running,
        span_text(part.taken_over.at_ns > part.last_seen.at_ns
                      ? part.taken_over.at_ns - part.last_seen.at_ns
                      : 0));
    report.timeline.push_back(std::move(finding));
  }
}

void tell_silences(RunReport& report, const Material& material) {
  const story::Silence* longest = nullptr;
  const story::Attempt* whose = nullptr;
  std::size_t count = 0;
  for (const story::Attempt& attempt : material.story.attempts) {
    for (const story::Silence& silence : attempt.silences) {
      ++count;
      if (longest != nullptr && longest->silent_ms >= silence.silent_ms) continue;
      longest = &silence;
      whose = &attempt;
    }
  }
  if (longest == nullptr) return;
  Finding finding;
  add_event(finding.events, longest->noticed.revision);
  finding.text = fmt::format(
      "{} silences; the longest {} in {}/{}, {}{}.", count,
      span_text(longest->silent_ms * 1'000'000),
      whose->job == 0 ? "_probe" : shortened(material.story.jobs[whose->job - 1].id, 40),
      whose->number, schema::EnumNameActivity(longest->activity),
      longest->subject.empty() ? "" : fmt::format(" ({})", shortened(longest->subject, 60)));
  report.timeline.push_back(std::move(finding));
}

void tell_waits(RunReport& report, const Material& material) {
  for (const story::Admission& wait : material.story.admissions) {
    Finding finding;
    add_event(finding.events, wait.span.begin.revision);
    add_event(finding.events, wait.span.end.revision);
    finding.text = fmt::format("Waited {} for {}: {}",
                               span_text(wait.span.duration_ns(end_of(material.story))),
                               schema::EnumNameWaitReason(wait.reason), shortened(wait.detail));
    report.timeline.push_back(std::move(finding));
  }
  for (const auto& limit : material.extras.limits) {
    Finding finding{
        fmt::format(
            "Its budget of {} was spent: {} of {}{}.", schema::EnumNameLimitKind(limit.what.limit),
            limit.what.used, limit.what.allowed,
            limit.job == 0 ? "" : fmt::format(", {}", ids_of(material.run, {&limit.job, 1}))),
        {limit.revision}};
    report.timeline.push_back(std::move(finding));
  }
}

}  // namespace

void add_timeline(RunReport& report, const Material& material) {
  tell_throttle(report, material);
  tell_supervisors(report, material);
  tell_silences(report, material);
  tell_waits(report, material);
}

}  // namespace pievt::audit
