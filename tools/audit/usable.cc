// What can be used as it is, and what was left half done.
#include <algorithm>

#include <fmt/format.h>

#include "store/model/rules/rules.h"
#include "tools/audit/build.h"
#include "tools/audit/words.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

using schema::CheckStatus;
using schema::JobStatus;

/// A file of which more than this share is one character holds no work.
constexpr double repeated_share = 0.8;
constexpr std::uint64_t repeated_bytes_min = 40;

void add_checked(Usable& usable, const GateState& gate) {
  for (const auto& check : gate.checks) {
    const bool path = check->kind.starts_with("requiredPath");
    if (!path || check->status != CheckStatus::passed) continue;
    const std::string& name = check->path.empty() ? check->target : check->path;
    if (std::ranges::find(usable.products, name, &Product::path) != usable.products.end()) continue;
    usable.products.push_back({name, check->size == 0 ? std::nullopt : std::optional(check->size)});
  }
}

void add_tool_files(Usable& usable, const std::vector<ToolFile>& files, std::uint32_t last) {
  for (const ToolFile& file : files) {
    if (file.calls.empty()) continue;
    const auto known = std::ranges::find(usable.products, file.path, &Product::path);
    if (known == usable.products.end()) {
      usable.products.push_back({file.path, file.bytes});
    } else if (!known->bytes) {
      known->bytes = file.bytes;
    }
    const bool hollow =
        file.bytes && file.repeated && *file.bytes >= repeated_bytes_min &&
        static_cast<double>(*file.repeated) > repeated_share * static_cast<double>(*file.bytes);
    if (hollow) {
      usable.weak.push_back({fmt::format("{} of {} bytes of {} are one repeated character",
                                         *file.repeated, *file.bytes, file.path),
                             {file.calls.back()}});
    }
    if (file.repaired_by) {
      Finding repaired{fmt::format("{} of {} failed, repaired by the worker",
                                   file.failed.size() == 1 ? "one edit" : "edits", file.path),
                       {}};
      add_event(repaired.events, file.failed.back());
      add_event(repaired.events, *file.repaired_by);
      usable.weak.push_back(std::move(repaired));
    }
    if (file.attempt != last && usable.accepted) {
      usable.weak.push_back({fmt::format("{} is attempt {}'s: attempt {} did not write it",
                                         file.path, file.attempt, last),
                             {file.calls.back()}});
    }
  }
}

// The files that a contract asked for and that nobody was seen to write.
void add_unseen(Usable& usable, const JobState& job, const Material& material) {
  if (job.attempts.size() > 1 && usable.products.empty()) return;
  for (const auto& refused : material.extras.refused) {
    if (refused.job != job.number || !usable.accepted) continue;
    usable.weak.push_back(
        {fmt::format("its report was rejected: {}", shortened(refused.what.reason, 80)),
         {refused.revision}});
  }
  if (!usable.accepted || !usable.products.empty() || material.run.jobs.empty()) return;
  const bool shells =
      std::ranges::any_of(material.story.jobs[job.number - 1].attempts, [&](std::uint32_t place) {
        return std::ranges::any_of(material.story.attempts[place].tools,
                                   [](const auto& call) { return call.tool == "bash"; });
      });
  if (!shells) usable.verdict += ", and no file was written";
}

// Some records keep no checks of a gate that passed; then the contract itself says what it asks.
bool asks_for_paths(const GateState& gate, const JobState& job) {
  const bool checked = std::ranges::any_of(
      gate.checks, [](const auto& check) { return check->kind.starts_with("requiredPath"); });
  const auto* contract = job.declared == nullptr ? nullptr : job.declared->acceptance.get();
  return checked || (contract != nullptr && !contract->required_paths.empty());
}

bool asks_for_zone(const JobState& job) {
  const auto* contract = job.declared == nullptr ? nullptr : job.declared->acceptance.get();
  return contract != nullptr &&
         (!contract->allowed_write_paths.empty() || !contract->forbidden_write_paths.empty());
}

void set_verdict(Usable& usable, const GateState* gate, const JobState& job) {
  if (job.status != JobStatus::succeeded) {
    usable.verdict = "not accepted";
  } else if (gate == nullptr) {
    usable.verdict = "no contract: its last message is all there is";
  } else if (gate->decision == schema::GateDecision::warned) {
    usable.verdict = "contract not met, only audited";
  } else if (rules::looks_at_content(*gate)) {
    usable.verdict = "contract met";
  } else if (asks_for_paths(*gate, job)) {
    usable.verdict = "contract met, but it only asks that the file exists";
    usable.existence_only = true;
  } else {
    usable.verdict = asks_for_zone(job) ? "contract met, but it only asks where is written"
                                        : "contract met, but it asks for no result";
  }
}

// Writes that its contract does not allow, whoever looked when the work was accepted.
void add_outside(Usable& usable, const RunReport& report) {
  constexpr std::size_t most = 3;
  std::size_t count = 0;
  for (const WriteRow& row : report.writes) {
    if (row.job != usable.job || is_harmless(row) || ++count > most) continue;
    const char* how = row.attribution == "shell"
                          ? "is named in a shell command, and lies where it must not"
                          : "was written where it must not";
    usable.weak.push_back({fmt::format("{} {}{}", shortened(row.path, 80), how,
                                       row.detail.empty() ? "" : "; " + shortened(row.detail, 120)),
                           row.events});
  }
  if (count > most)
    usable.weak.push_back({fmt::format("and {} more outside of its zone", count - most), {}});
}

// What today's rules say of a success that the record has: its weak points, or that it is none.
void add_judged(Usable& usable, const JobState& job, const Judgement& now,
                std::string_view ruleset) {
  for (const std::string& weak : now.weak) {
    const bool told = weak.starts_with("contract met, but") ||
                      (!usable.weak.empty() && weak.find("changed outside") != std::string::npos);
    if (!told) usable.weak.push_back({weak, {job.judged_revision}});
  }
  const AttemptState& last = *job.attempts.back();
  if (last.report_status == schema::ReportStatus::partial && now.status != JobStatus::succeeded)
    usable.weak.push_back({"its report says that only part of it is done", {last.report_revision}});
  if (now.status == JobStatus::succeeded) return;
  usable.weak.push_back(
      {fmt::format("{} says {}: {}", ruleset, schema::EnumNameJobStatus(now.status),
                   shortened(own_reason(now, job), 80)),
       {job.judged_revision}});
}

}  // namespace

void add_usable(RunReport& report, const Material& material, const Ruleset& ruleset) {
  for (const auto& job : material.run.jobs) {
    if (job->attempts.empty() || job->phase != state::JobPhase::finished) continue;
    Usable usable;
    usable.job = job->number;
    usable.accepted = job->status == JobStatus::succeeded;
    const std::uint32_t last = job->attempts.back()->number;
    const GateState* gate = asked_gate(material.run, job->number, last);
    set_verdict(usable, gate, *job);
    if (gate != nullptr) add_checked(usable, *gate);
    if (const auto files = material.files.find(job->number); files != material.files.end())
      add_tool_files(usable, files->second, last);
    add_unseen(usable, *job, material);
    if (usable.accepted) {
      add_outside(usable, report);
      add_judged(usable, *job, judge_again(ruleset, material.run, *job), ruleset.name);
    }
    report.usable.push_back(std::move(usable));
  }
}

}  // namespace pievt::audit
