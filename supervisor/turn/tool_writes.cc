#include "supervisor/turn/tool_writes.h"

#include <algorithm>

#include "pievt/bytes.h"
#include "supervisor/pi/worker_report.h"
#include "supervisor/workspace/git_files.h"

namespace pievt::supervisor {
namespace {

namespace fs = std::filesystem;

// Tools are told a path by name; the tree is walked by where it lies. A link above the file is the
// only difference that counts.
fs::path resolved(const fs::path& cwd, const std::string& path) {
  const fs::path whole = (cwd / path).lexically_normal();
  std::error_code error;
  const fs::path parent = fs::weakly_canonical(whole.parent_path(), error);
  return error ? whole : parent / whole.filename();
}

// Empty: the arguments name no path.
Result<std::string> path_in(Log& log, const schema::ToolCallStarted& call) {
  if (call.arguments() == nullptr) return std::string();
  const auto bytes = log.get_blob(*call.arguments());
  // Arguments that were redacted name nothing any more.
  if (!bytes.ok() && bytes.error().code == Errc::not_found) return std::string();
  if (!bytes.ok()) return bytes.error();
  return pi::written_path(text_of(*bytes)).value_or("");
}

// Of attempts that are not judged yet, where the first one begins.
std::uint64_t beginning_of_open_attempts(const RunState& run) {
  std::uint64_t first = UINT64_MAX;
  for (const auto& job : run.jobs) {
    for (const auto& attempt : job->attempts) {
      if (attempt->phase != state::AttemptPhase::classified)
        first = std::min(first, attempt->first_revision);
    }
  }
  return first;
}

}  // namespace

std::string directory_of(const RunState& run, Who who) {
  const AttemptState* attempt = find_attempt(run, who.job, who.attempt);
  const JobState* job = find_job(run, who.job);
  const bool own = job != nullptr && job->declared != nullptr && !job->declared->cwd.empty();
  const std::string& cwd = own ? job->declared->cwd : run.cwd;
  if (attempt == nullptr || attempt->worktree.empty()) return cwd;
  const auto repository = workspace::find_repository(cwd);
  if (!repository) return attempt->worktree;
  std::string inside =
      (fs::path(attempt->worktree) / fs::path(cwd).lexically_relative(repository->work_tree))
          .lexically_normal();
  if (inside.ends_with('/')) inside.pop_back();
  return inside;
}

Status ToolWrites::read_on(RunRecord& record, Revision oldest) {
  if (record.is_pending(schema::Payload::ToolCallStarted) ||
      record.is_pending(schema::Payload::ToolCallFinished))
    PIEVT_TRY(record.commit());
  auto reader = record.log().read_stream(run_stream(record.run_id()),
                                         {std::max(read_.value + 1, oldest.value)});
  while (reader.next()) {
    const schema::Head& head = reader.event().head();
    const Who who{head.job(), head.attempt()};
    read_ = reader.event().revision();
    if (const auto* call = reader.event().envelope->payload_as_ToolCallStarted()) {
      if (call->tool() == nullptr || pi::effect_of(call->tool()->str()) != pi::ToolEffect::write)
        continue;
      const std::string path = PIEVT_TRY(path_in(record.log(), *call));
      if (path.empty()) continue;
      if (call->call_id() != nullptr) open_[{who, call->call_id()->str()}] = read_.value;
      writes_.push_back({who, resolved(directory_of(record.state(), who), path), read_.value,
                         call->tool()->str(), false});
    } else if (const auto* end = reader.event().envelope->payload_as_ToolCallFinished()) {
      if (end->call_id() == nullptr) continue;
      const auto call_of_it = open_.extract({who, end->call_id()->str()});
      if (call_of_it.empty() || !end->is_error()) continue;
      const auto failed =
          std::ranges::lower_bound(writes_, call_of_it.mapped(), {}, &ToolWrite::revision);
      if (failed != writes_.end() && failed->revision == call_of_it.mapped()) failed->failed = true;
    }
  }
  return Status(reader.status());
}

Result<std::vector<ToolWrite>> ToolWrites::since(RunRecord& record, Revision from) {
  const Revision oldest{std::min(from.value, beginning_of_open_attempts(record.state()))};
  PIEVT_TRY(read_on(record, oldest));
  while (!writes_.empty() && writes_.front().revision < oldest.value) writes_.pop_front();
  std::erase_if(open_, [&](const auto& call) { return call.second < oldest.value; });
  const auto first = std::ranges::lower_bound(writes_, from.value, {}, &ToolWrite::revision);
  return std::vector<ToolWrite>(first, writes_.end());
}

}  // namespace pievt::supervisor
