#include "supervisor/turn/tool_writes.h"

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

Result<std::vector<ToolWrite>> tool_writes(RunRecord& record, Revision from) {
  std::vector<ToolWrite> writes;
  std::map<std::pair<Who, std::string>, std::size_t> open;
  auto reader = record.log().read_stream(run_stream(record.run_id()), from);
  while (reader.next()) {
    const schema::Head& head = reader.event().head();
    const Who who{head.job(), head.attempt()};
    if (const auto* call = reader.event().envelope->payload_as_ToolCallStarted()) {
      if (call->tool() == nullptr || pi::effect_of(call->tool()->str()) != pi::ToolEffect::write)
        continue;
      const std::string path = PIEVT_TRY(path_in(record.log(), *call));
      if (path.empty()) continue;
      if (call->call_id() != nullptr) open[{who, call->call_id()->str()}] = writes.size();
      writes.push_back({who, resolved(directory_of(record.state(), who), path),
                        reader.event().revision().value, call->tool()->str(), false});
    } else if (const auto* end = reader.event().envelope->payload_as_ToolCallFinished()) {
      if (!end->is_error() || end->call_id() == nullptr) continue;
      const auto found = open.find({who, end->call_id()->str()});
      if (found != open.end()) writes[found->second].failed = true;
    }
  }
  PIEVT_TRY(Status(reader.status()));
  return writes;
}

}  // namespace pievt::supervisor
