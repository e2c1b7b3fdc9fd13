// Who wrote which file, and whether it was allowed to: what walking the trees showed, what write
// and edit calls named, and what shell commands named, each with how it is known. The zone is that
// of the job's contract, asked again here where no walk asked it.
#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "supervisor/check/path_pattern.h"
#include "tools/audit/build.h"
#include "tools/audit/words.h"

namespace pievt::audit {
namespace {

using schema::WriteZone;

// Relative to the job's directory where it lies inside it, as patterns are written.
std::string path_in(const std::string& path, const std::string& cwd) {
  const std::filesystem::path base = std::filesystem::path(cwd).lexically_normal();
  const std::filesystem::path whole = (base / path).lexically_normal();
  const std::filesystem::path inside = whole.lexically_relative(base);
  return inside.empty() || *inside.begin() == ".." ? whole.string() : inside.string();
}

struct Judged {
  WriteZone zone = WriteZone::undeclared;
  std::string why;  ///< "allowed: out/**"; empty where nothing was declared or it is inside
};

Judged zone_of(const RunState& run, std::uint32_t number, const std::string& path) {
  const JobState* job = pievt::find_job(run, number);
  const schema::AcceptanceT* contract =
      job == nullptr || job->declared == nullptr ? nullptr : job->declared->acceptance.get();
  if (contract == nullptr) return {};
  const auto& allowed = contract->allowed_write_paths;
  const auto& forbidden = contract->forbidden_write_paths;
  if (allowed.empty() && forbidden.empty()) return {};
  const std::string& cwd = job->declared->cwd.empty() ? run.cwd : job->declared->cwd;
  const std::string name = path_in(path, cwd);
  const auto covers = [&](const std::string& pattern) {
    return acceptance::matches(name, pattern);
  };
  if (const auto hit = std::ranges::find_if(forbidden, covers); hit != forbidden.end())
    return {WriteZone::forbidden, "forbidden: " + shortened(*hit, 60)};
  if (!allowed.empty() && std::ranges::none_of(allowed, covers))
    return {WriteZone::outside,
            "allowed: " + shortened(fmt::format("{}", fmt::join(allowed, ", ")), 60)};
  return {WriteZone::inside, ""};
}

class Rows {
 public:
  Rows(RunReport& report, const Material& material) : report_(report), material_(material) {}

  void observed() {
    for (const auto& observed : material_.extras.writes) {
      for (const auto& write : observed.what.writes) {
        WriteRow row;
        row.path = write->path;
        row.job = observed.job;
        row.attempt = observed.attempt;
        row.change = schema::EnumNameWriteChange(write->change);
        row.attribution = schema::EnumNameAttribution(write->attribution);
        row.zone = schema::EnumNameWriteZone(write->zone);
        row.detail = write->detail;
        if (!write->candidates.empty())
          row.detail += fmt::format("{}one of {}", row.detail.empty() ? "" : "; ",
                                    fmt::join(write->candidates, ", "));
        add_event(row.events, observed.revision);
        for (const std::uint64_t evidence : write->evidence) add_event(row.events, evidence);
        seen_.emplace(row.job, row.path);
        report_.writes.push_back(std::move(row));
      }
    }
  }

  void tools() {
    for (const auto& [job, files] : material_.files) {
      for (const ToolFile& file : files) {
        if (file.calls.empty() || !seen_.emplace(job, file.path).second) continue;
        WriteRow row = judged(job, file.attempt, file.path);
        row.change = "written";
        row.attribution = "tool";
        for (const std::uint64_t call : file.calls) add_event(row.events, call, 8);
        report_.writes.push_back(std::move(row));
      }
    }
  }

  // Where trees were walked, what a shell did was seen, and its words are no evidence.
  void shells() {
    if (!material_.extras.writes.empty()) return;
    for (const auto& [job, files] : material_.shell_files) {
      for (const ShellFile& file : files) {
        if (!seen_.emplace(job, file.path).second) continue;
        WriteRow row = judged(job, file.attempt, file.path);
        row.change = "perhaps written";
        row.attribution = "shell";
        row.detail += row.detail.empty() ? "" : "; ";
        row.detail += "named in a command, not seen being written";
        add_event(row.events, file.call);
        report_.writes.push_back(std::move(row));
        ++named_;
      }
    }
  }

  void notes() {
    const bool zones = std::ranges::any_of(material_.run.jobs, [](const auto& job) {
      const auto* contract = job->declared == nullptr ? nullptr : job->declared->acceptance.get();
      return contract != nullptr &&
             (!contract->allowed_write_paths.empty() || !contract->forbidden_write_paths.empty());
    });
    if (report_.writes.empty()) return;
    const auto outside = static_cast<std::size_t>(std::ranges::count_if(
        report_.writes, [](const WriteRow& row) { return !is_harmless(row); }));
    if (!zones) report_.writes_note.emplace_back("no zone declared");
    if (zones || outside > 0)
      report_.writes_note.push_back(fmt::format("{} outside of where it may write", outside));
    if (report_.writes_walked) return;
    report_.writes_note.emplace_back("seen by tool calls; shell writes were not observed");
    if (named_ > 0)
      report_.writes_note.push_back(fmt::format("{} only named in a shell command", named_));
  }

 private:
  WriteRow judged(std::uint32_t job, std::uint32_t attempt, const std::string& path) const {
    WriteRow row;
    row.path = path;
    row.job = job;
    row.attempt = attempt;
    const Judged found = zone_of(material_.run, job, path);
    row.zone = schema::EnumNameWriteZone(found.zone);
    row.detail = found.why;
    return row;
  }

  RunReport& report_;
  const Material& material_;
  std::set<std::pair<std::uint32_t, std::string>> seen_;
  std::size_t named_ = 0;
};

}  // namespace

bool is_harmless(const WriteRow& row) {
  return row.zone == "inside" || row.zone == "undeclared";
}

void add_writes(RunReport& report, const Material& material) {
  report.writes_walked = !material.extras.writes.empty();
  Rows rows(report, material);
  rows.observed();
  rows.tools();
  rows.shells();
  rows.notes();
}

}  // namespace pievt::audit
