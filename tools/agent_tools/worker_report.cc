// See worker_report.h.
#include "tools/agent_tools/worker_report.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/log/fd.h"
#include "supervisor/pi/worker_report.h"
#include "supervisor/plan/canonical.h"
#include "tools/agent_tools/agent_tools.h"

namespace pievt::tools {

std::string job_report_schema() {
  return R"({"type": "object", "additionalProperties": false, "required": ["status", "summary"], )"
         R"("properties": {"status": {"enum": ["completed", "partial", "blocked", "error"]}, )"
         R"("summary": {"type": "string"}, "schemaVersion": {"type": "integer"}, )"
         R"("jobId": {"type": "string"}, "attemptId": {"type": "string"}, )"
         R"("deliverables": {"type": "array", "items": {"type": "object", "required": ["path", )"
         R"("kind"], )"
         R"("properties": {"path": {"type": "string"}, "kind": {"enum": ["file", "dir", "note", )"
         R"("command"]}, )"
         R"("description": {"type": "string"}}}}, )"
         R"("evidence": {"type": "array", "items": {"type": "object", "required": ["kind", )"
         R"("value"], )"
         R"("properties": {"kind": {"enum": ["file", "command", "text"]}, "value": {"type": )"
         R"("string"}}}}, )"
         R"("userActionRequired": {"type": "string", "description": "What a person must do now"}, )"
         R"("error": {"type": "string"}}})";
}

Result<std::string> report_of(plan::JsonView arguments) {
  if (arguments.kind() != plan::JsonKind::object)
    return Error{Errc::invalid, "the report must be an object"};
  std::string text = R"({"schemaVersion":1)";
  std::string job;
  for (const plan::JsonView member : arguments) {
    if (member.key() == "schemaVersion") continue;
    if (member.key() == "jobId" && member.kind() == plan::JsonKind::string) job = member.string();
    text += fmt::format(",{}:{}", plan::json_text(member.key()), json_of(member));
  }
  text += "}\n";
  PIEVT_TRY(pi::read_worker_report(text, job));
  return text;
}

Status write_report(const std::filesystem::path& path, std::string_view report) {
  const std::string made = path.string() + ".new";
  const auto failed = [&](std::string_view what) {
    return os_error(fmt::format("the report cannot be {}", what), errno);
  };
  ::unlink(made.c_str());
  const Fd file(::open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return failed("made");
  while (!report.empty()) {
    const ssize_t put = ::write(file.get(), report.data(), report.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed("written");
    report.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::rename(made.c_str(), path.c_str()) != 0) return failed("put in its place");
  return {};
}

}  // namespace pievt::tools
