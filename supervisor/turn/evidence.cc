#include "supervisor/turn/evidence.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "pievt/output.h"
#include "supervisor/check/look.h"
#include "supervisor/launch/attempt_files.h"
#include "supervisor/pi/worker_report.h"
#include "supervisor/process/fd.h"

namespace pievt::supervisor {
namespace {

using acceptance::Channel;
using acceptance::text_bytes_max;

std::string too_large(std::uint64_t size) {
  return fmt::format("{} bytes, more than the {} MiB that are searched", size,
                     text_bytes_max >> 20);
}

Channel not_searched(std::string why) {
  Channel channel;
  channel.absent = std::move(why);
  channel.absence = Channel::Absence::not_searched;
  return channel;
}

// The worker can put anything in the file's place, so only a plain file counts.
Channel read_file(const std::filesystem::path& path) {
  const process::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts {};
  Channel channel;
  if (file.get() < 0 && errno == ENOENT) return channel;
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return not_searched("it is no plain file that can be read");
  channel.text.emplace();
  std::array<char, 64 << 10> buffer{};
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return not_searched("it cannot be read");
    if (got == 0) return channel;
    channel.text->append(buffer.data(), static_cast<std::size_t>(got));
    if (channel.text->size() > text_bytes_max) return not_searched(too_large(channel.text->size()));
  }
}

// What no other event keeps is kept with the check.
Status keep(RunRecord& record, Channel& channel) {
  if (!channel.text || channel.text->empty()) return {};
  const auto content = PIEVT_TRY(record.put_text(*channel.text));
  channel.content = *content;
  return {};
}

Result<Channel> final_message(RunRecord& record, const AttemptState& attempt) {
  Channel channel;
  channel.absent = "there is no final message";
  if (attempt.final_message == nullptr) return channel;
  const std::vector<std::byte> bytes = PIEVT_TRY(record.log().get_blob(*attempt.final_message));
  channel.text = std::string(text_of(bytes));
  return channel;
}

Result<Channel> raw_output(RunRecord& record, Subject subject, const AttemptState& attempt) {
  if (attempt.stdout_bytes > text_bytes_max) return not_searched(too_large(attempt.stdout_bytes));
  Channel channel;
  channel.text.emplace();
  const OutputKey key{record.run_id(), subject.job, subject.attempt, schema::OutputChannel::stdout};
  PIEVT_TRY(read_output(record.log(), key, attempt, [&](std::span<const std::byte> bytes) {
    channel.text->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Status();
  }));
  return channel;
}

Status gather_report(RunRecord& record, const std::filesystem::path& path, const std::string& job,
                     acceptance::Evidence& evidence) {
  Channel file = read_file(path);
  PIEVT_TRY(keep(record, file));
  evidence.report_text = file;
  if (!file.text) {
    if (file.absence == Channel::Absence::nothing_there)
      evidence.report_text.absent = "there is no report";
    return {};
  }
  auto report = pi::read_worker_report(*file.text, job);
  evidence.report_text.text.reset();
  if (!report.ok()) {
    evidence.report_text.absent = report.error().what;
    return {};
  }
  evidence.report_text.text = std::move(report->text);
  evidence.report.emplace();
  evidence.report->status = report->status;
  evidence.report->summary = report->summary;
  evidence.report->evidence = report->evidence;
  for (auto& item : report->deliverables)
    evidence.report->deliverables.push_back({item.path, item.kind});
  return {};
}

void add_changes(const schema::WritesObserved& seen, std::uint32_t attempt,
                 std::vector<acceptance::Change>& changes) {
  const std::filesystem::path root(seen.root() == nullptr ? "" : seen.root()->str());
  if (seen.writes() == nullptr) return;
  for (const schema::Write* write : *seen.writes()) {
    acceptance::Change change;
    change.path = (root / write->path()->str()).string();
    change.what = schema::EnumNameWriteChange(write->change());
    std::ranges::replace(change.what, '_', ' ');
    if (write->change() == schema::WriteChange::unknown) change.what = "written";
    change.zone = write->zone();
    change.attribution = write->attribution();
    change.attempt = attempt;
    if (write->detail() != nullptr) change.detail = write->detail()->str();
    if (write->candidates() != nullptr)
      for (const auto* name : *write->candidates()) change.candidates.push_back(name->str());
    changes.push_back(std::move(change));
  }
}

// Of all attempts of the job: what the first one left outside is still there when the second has
// ended well.
Status gather_writes(RunRecord& record, const JobState& job, acceptance::Evidence& evidence) {
  auto reader =
      record.log().read_stream(run_stream(record.run_id()), {job.attempts.front()->first_revision});
  std::set<std::uint32_t> walked;
  std::vector<acceptance::Change> changes;
  while (reader.next()) {
    const schema::Head& head = reader.event().head();
    if (const auto* seen = reader.event().envelope->payload_as_WritesObserved();
        seen != nullptr && head.job() == job.number) {
      walked.insert(head.attempt());
      add_changes(*seen, head.attempt(), changes);
    }
    const auto* call = reader.event().envelope->payload_as_ToolCallStarted();
    if (call == nullptr || head.job() != job.number || call->tool() == nullptr) continue;
    const std::string tool = call->tool()->str();
    const pi::ToolEffect effect = pi::effect_of(tool);
    if (effect == pi::ToolEffect::none) continue;
    std::optional<std::string> path;
    if (effect == pi::ToolEffect::write && call->arguments() != nullptr) {
      const std::vector<std::byte> bytes = PIEVT_TRY(record.log().get_blob(*call->arguments()));
      path = pi::written_path(text_of(bytes));
    }
    if (path)
      evidence.writes.push_back({*path, tool, head.attempt()});
    else
      ++evidence.shell_calls;
  }
  const auto seen = [&](const auto& attempt) {
    return walked.contains(attempt->number) || attempt->launched_ns == 0;
  };
  if (std::ranges::all_of(job.attempts, seen)) evidence.changes = std::move(changes);
  return reader.status();
}

}  // namespace

Result<acceptance::Evidence> gather(RunRecord& record, const LiveAttempt& attempt) {
  PIEVT_TRY(record.commit());
  const Subject subject = attempt.subject;
  const JobState& job = *find_job(record.state(), subject.job);
  const AttemptState& state = *find_attempt(record.state(), subject.job, subject.attempt);
  const schema::AcceptanceT& contract = *job.declared->acceptance;
  acceptance::Evidence evidence;
  evidence.cwd = attempt.cwd;
  evidence.final_message = PIEVT_TRY(final_message(record, state));
  if (!contract.required_raw_output.empty() || !contract.forbidden_raw_output.empty())
    evidence.raw_output = PIEVT_TRY(raw_output(record, subject, state));
  const std::filesystem::path directory = record.log().info().directory / state.directory;
  evidence.worker_log = read_file(directory / launch::worker_log_name);
  if (evidence.worker_log.absence == acceptance::Channel::Absence::nothing_there &&
      !evidence.worker_log.text)
    evidence.worker_log.absent = "there is no worker log";
  PIEVT_TRY(keep(record, evidence.worker_log));
  PIEVT_TRY(gather_report(record, directory / launch::report_name, job.id, evidence));
  if (!contract.allowed_write_paths.empty() || !contract.forbidden_write_paths.empty())
    PIEVT_TRY(gather_writes(record, job, evidence));
  return evidence;
}

}  // namespace pievt::supervisor
