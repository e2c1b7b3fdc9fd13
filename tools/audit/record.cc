// Whether the record can be believed, what its source had lost before it was read, and what it does
// not tell.
#include <algorithm>

#include <fmt/format.h>

#include "supervisor/pi/worker_report.h"
#include "tools/audit/build.h"
#include "tools/audit/words.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

using schema::FailureKind;
using schema::JobStatus;

std::uint64_t attempts_of(const RunState& run) {
  std::uint64_t count = 0;
  for (const auto& job : run.jobs) count += job->attempts.size();
  return count;
}

// What kind of thing it is to lose: nothing, a part of the record, or a line of the source's log.
bool is_harmless_anomaly(schema::ImportAnomaly kind) {
  using schema::ImportAnomaly;
  return kind == ImportAnomaly::stray_file || kind == ImportAnomaly::out_of_order ||
         kind == ImportAnomaly::duplicate;
}

bool loses_line(schema::ImportAnomaly kind) {
  using schema::ImportAnomaly;
  switch (kind) {
    case ImportAnomaly::not_json:
    case ImportAnomaly::torn_tail:
    case ImportAnomaly::wrong_shape:
    case ImportAnomaly::too_large:
    case ImportAnomaly::unreadable:
      return true;
    default:
      return false;
  }
}

void tell_anomalies(RunReport& report, const Material& material) {
  constexpr std::size_t most = 5;
  const auto& anomalies = material.extras.anomalies;
  // What was lost comes before what is only odd.
  std::vector<const Kept<schema::ImportAnomalyFoundT>*> order;
  for (const auto& seen : anomalies) order.push_back(&seen);
  std::ranges::stable_sort(
      order, {}, [](const auto* seen) { return is_harmless_anomaly(seen->what.anomaly) ? 1 : 0; });
  for (std::size_t i = 0; i < std::min(most, order.size()); ++i) {
    const auto& seen = *order[i];
    Finding finding;
    finding.text = fmt::format("{}{}: {}", seen.what.file.empty() ? "source" : seen.what.file,
                               seen.what.line == 0 ? "" : fmt::format(":{}", seen.what.line),
                               shortened(seen.what.detail, 140));
    finding.events = {seen.revision};
    report.record.push_back(std::move(finding));
  }
  if (anomalies.size() > most) {
    report.record.push_back({fmt::format("and {} more anomalies; pievt log {} --type "
                                         "ImportAnomalyFound",
                                         anomalies.size() - most, report.short_id),
                             {}});
  }
  const bool lost = std::ranges::any_of(
      anomalies, [](const auto& seen) { return !is_harmless_anomaly(seen.what.anomaly); });
  if (lost) report.integrity = Integrity::incomplete;
}

// What the importer had before it, and how much of it could be read.
std::string source_text(const Material& material, Events& events) {
  std::uint64_t lost = 0, files = 0;
  bool no_log = false;
  const schema::ImportAnomalyFoundT* gap = nullptr;  // records that the numbering misses
  for (const auto& seen : material.extras.anomalies) {
    const bool of_log = seen.what.file == "events.jsonl";
    if (of_log && seen.what.line != 0 && loses_line(seen.what.anomaly)) {
      ++lost;
      add_event(events, seen.revision, 8);
    }
    if (of_log && seen.what.anomaly == schema::ImportAnomaly::unfinished &&
        seen.what.field == "seq") {
      gap = &seen.what;
      add_event(events, seen.revision, 8);
    }
    if (seen.what.anomaly != schema::ImportAnomaly::missing_file) continue;
    ++files;
    no_log = no_log || of_log;
    if (of_log) add_event(events, seen.revision, 8);
  }
  std::string text;
  if (no_log) {
    text = "the source's events.jsonl is not there: what happened is told from its other files";
  } else if (gap != nullptr) {
    text = fmt::format("{} of at least {} records of the source's events.jsonl could be read",
                       shortened(gap->actual, 20), shortened(gap->expected, 20));
  } else if (const auto& log = material.extras.source_log; log && log->records) {
    const std::uint64_t read = *log->records - std::min(lost, *log->records);
    text = fmt::format("{} of {} records of the source's {} could be read", read, *log->records,
                       log->file);
  } else if (lost > 0) {
    text = fmt::format("{} of the source's events.jsonl could not be read",
                       render::plural(lost, "record"));
  }
  const std::uint64_t others = files - (no_log ? 1u : 0u);
  if (others > 0) {
    text += fmt::format("{}{} of the source {} not there", text.empty() ? "" : "; ",
                        render::plural(others, "part"), others == 1 ? "is" : "are");
  }
  return text;
}

void tell_sum(RunReport& report, const Material& material) {
  const RunState& run = material.run;
  Finding sum;
  if (material.story.imported) {
    sum.text = source_text(material, sum.events);
    const std::string told = fmt::format("{}", render::plural(run.revision, "event"));
    sum.text += sum.text.empty() ? fmt::format("told as {}", told)
                                 : fmt::format("; told as {} here, in order", told);
    sum.text += fmt::format("; {} of {} sessions. The source has no checksums: {}, not proven.",
                            material.extras.sessions, attempts_of(run),
                            report.integrity != Integrity::whole ? "not complete"
                            : material.extras.anomalies.empty()  ? "complete"
                                                                 : "read as it was");
  } else {
    sum.text = fmt::format(
        "{} of {} events, in order, none missing. Read whole, every page's checksum right; pievt "
        "verify {} asks for the chain and the projections too.",
        run.revision, report.events, report.short_id);
  }
  report.record.insert(report.record.begin(), std::move(sum));
}

// Texts that are gone take findings with them: what is weak, what was written, what was leaked.
void tell_removed(RunReport& report, const Material& material) {
  if (!material.removed.empty()) {
    report.record.push_back(
        {fmt::format("The texts and output of this run were {}; what rests on them is not in this "
                     "report.",
                     material.removed),
         {}});
  } else if (material.texts_missing > 0) {
    report.record.push_back(
        {fmt::format("{} that events refer to {} not in the store any more (redacted or removed); "
                     "what rests on them is not in this report.",
                     render::plural(material.texts_missing, "text"),
                     material.texts_missing == 1 ? "is" : "are"),
         {}});
  } else {
    return;
  }
  if (report.integrity == Integrity::whole) report.integrity = Integrity::incomplete;
  report.unknown.emplace_back(
      "what the removed texts said: sizes and contents of files, weak successes, all places of a "
      "secret");
}

struct Missing {
  std::uint64_t no_requests = 0;
  std::uint64_t no_output = 0, no_exit = 0, no_usage = 0, shells = 0, unwatched = 0;
};

Missing missing(const Material& material) {
  Missing count;
  for (const auto& job : material.run.jobs) {
    for (const auto& attempt : job->attempts) {
      const bool ran = attempt->launched_ns != 0;
      count.no_requests += ran && (attempt->usage == nullptr || attempt->usage->requests == 0);
      count.no_output += ran && attempt->stdout_bytes == 0 && attempt->stdout_chunks == 0 ? 1u : 0u;
      count.no_exit +=
          ran && attempt->knowledge != schema::ExitKnowledge::observed && attempt->exited_ns != 0
              ? 1u
              : 0u;
      count.unwatched += attempt->lost != schema::LostReason::unknown ? 1u : 0u;
    }
  }
  for (const story::Attempt& attempt : material.story.attempts) {
    count.shells += std::ranges::any_of(attempt.tools,
                                        [](const auto& call) {
                                          return pi::effect_of(call.tool) == pi::ToolEffect::shell;
                                        })
                        ? 1u
                        : 0u;
  }
  if (material.run.usage != nullptr) count.no_usage = material.run.usage->unreported;
  return count;
}

void tell_unknown(RunReport& report, const Material& material) {
  const Missing count = missing(material);
  auto& unknown = report.unknown;
  if (count.no_output > 0) {
    unknown.push_back(
        fmt::format("raw output of {} (not captured)", render::plural(count.no_output, "attempt")));
  }
  if (count.no_exit > 0) {
    unknown.push_back(fmt::format("how {} exited (nobody saw it)",
                                  render::plural(count.no_exit, "process", "processes")));
  }
  if (count.unwatched > 0) {
    unknown.push_back(fmt::format("what {} did while nobody watched",
                                  render::plural(count.unwatched, "attempt")));
  }
  if (count.no_usage > 0) {
    unknown.push_back(fmt::format("tokens and cost of {} that report no usage",
                                  render::plural(count.no_usage, "request")));
  }
  if (count.no_requests > 0) {
    unknown.push_back(fmt::format("tokens and cost of {} of which no request is in the record",
                                  render::plural(count.no_requests, "attempt")));
  }
  if (count.shells > 0 && material.extras.writes.empty()) {
    unknown.push_back(
        fmt::format("what shell commands of {} wrote", render::plural(count.shells, "attempt")));
  }
  const bool provider = std::ranges::any_of(report.causes, [](const Cause& cause) {
    return cause.kind == FailureKind::provider_transient ||
           cause.kind == FailureKind::provider_stalled;
  });
  if (provider) unknown.emplace_back("who else used the provider");
  if (material.extras.trees_observed == 0) unknown.emplace_back("git state before and after");
  if (material.story.imported) unknown.emplace_back("processes that tools left (not recorded)");
  if (material.run.unknown_events > 0) {
    unknown.push_back(fmt::format("what {} of a later version say",
                                  render::plural(material.run.unknown_events, "event")));
  }
}

}  // namespace

void add_record(RunReport& report, const Material& material) {
  report.events = std::max(report.events, material.run.revision);
  tell_anomalies(report, material);
  if (material.events_missing > 0) {
    report.integrity = Integrity::damaged;
    report.record.push_back(
        {fmt::format("{} acknowledged events are not in the store; pievt verify says where",
                     material.events_missing),
         {}});
  }
  tell_removed(report, material);
  tell_sum(report, material);
  tell_unknown(report, material);
}

}  // namespace pievt::audit
