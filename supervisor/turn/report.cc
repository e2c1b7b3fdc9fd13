// See report.h.
#include "supervisor/turn/report.h"

#include <array>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/capture/excerpt.h"
#include "supervisor/capture/secret_watch.h"
#include "supervisor/launch/attempt_files.h"
#include "supervisor/pi/worker_report.h"
#include "supervisor/process/fd.h"

namespace pievt::supervisor {
namespace {

// A model's words; what is longer is refused and not stored.
constexpr std::size_t report_bytes_max = std::size_t{1} << 20;

struct ReportFile {
  std::string text;
  std::string fault;  ///< why it cannot be read
};

// The worker can put anything in the file's place, so only a plain file counts.
std::optional<ReportFile> read_report(const std::filesystem::path& path) {
  const process::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0 && errno == ENOENT) return std::nullopt;
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return ReportFile{{}, "it is no plain file that can be read"};
  ReportFile report;
  std::array<char, 64 << 10> buffer{};
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ReportFile{{}, "it cannot be read"};
    if (got == 0) return report;
    report.text.append(buffer.data(), static_cast<std::size_t>(got));
    if (report.text.size() > report_bytes_max) return ReportFile{{}, "it is longer than a MiB"};
  }
}

// The state knows reports that were accepted. A supervisor that died before it had judged the
// attempt may have refused this one.
Result<bool> was_refused(RunRecord& record, Subject subject, Revision from) {
  auto reader = record.log().read_stream(run_stream(record.run_id()), from);
  while (reader.next()) {
    const schema::Head& head = reader.event().head();
    if (reader.event().type() == schema::Payload::ReportRefused && head.job() == subject.job &&
        head.attempt() == subject.attempt)
      return true;
  }
  PIEVT_TRY(Status(reader.status()));
  return false;
}

schema::ReportStatus status_of(std::string_view word) {
  if (word == "completed") return schema::ReportStatus::success;
  if (word == "partial") return schema::ReportStatus::partial;
  if (word == "blocked") return schema::ReportStatus::blocked;
  return word == "error" ? schema::ReportStatus::error : schema::ReportStatus::unknown;
}

}  // namespace

Status record_report(RunRecord& record, const LiveAttempt& attempt, const secrets::Policy& policy) {
  const Subject subject = attempt.subject;
  const JobState* job = find_job(record.state(), subject.job);
  const AttemptState* state = find_attempt(record.state(), subject.job, subject.attempt);
  if (job == nullptr || state == nullptr || state->report_revision != 0) return {};
  const auto file =
      read_report(record.log().info().directory / state->directory / launch::report_name);
  if (!file) return {};
  const auto report = pi::read_worker_report(file->text, job->id);
  const bool refuse = !file->fault.empty() || !report.ok();
  if (refuse && PIEVT_TRY(was_refused(record, subject, {state->first_revision}))) return {};
  SecretWatch watch(policy, subject);
  const auto seen = PIEVT_TRY(
      watch.see(record, file->text, schema::SecretPlace::output, "report", SecretWatch::Tell::yes));
  std::unique_ptr<schema::BlobRef> stored;
  if (!seen.stored.empty())
    stored = PIEVT_TRY(record.put_text(seen.stored, schema::BlobKind::json));
  if (refuse) {
    schema::ReportRefusedT refused;
    refused.reason = one_line(file->fault.empty() ? report.error().what : file->fault);
    refused.report = std::move(stored);
    PIEVT_TRY(record.propose({std::move(refused), subject}));
    return {};
  }
  schema::ReportSubmittedT submitted;
  submitted.status = status_of(report->status);
  submitted.summary =
      one_line(secrets::masked(report->summary, policy.finder.find(report->summary)));
  submitted.report = std::move(stored);
  submitted.deliverables = static_cast<std::uint32_t>(report->deliverables.size());
  if (!report->user_action.empty()) {
    submitted.requests.push_back(
        one_line(secrets::masked(report->user_action, policy.finder.find(report->user_action))));
  }
  PIEVT_TRY(record.propose({std::move(submitted), subject}));
  return {};
}

}  // namespace pievt::supervisor
