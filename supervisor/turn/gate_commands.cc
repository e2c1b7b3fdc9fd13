#include "supervisor/turn/gate_commands.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "supervisor/check/look.h"
#include "supervisor/process/sweep.h"
#include "supervisor/turn/settle.h"
#include "supervisor/turn/supervisor.h"

namespace pievt::supervisor {
namespace {

using process::ChildInput;
using process::ChildMove;
using process::ChildState;
using process::Clock;

// The beginning says what was run, the end how it went.
constexpr std::size_t head_bytes = 64u << 10;
constexpr std::size_t tail_bytes = 960u << 10;

std::string read_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::pread(fd, text.data() + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  return text;
}

std::string last_line_of(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const std::size_t at = text.rfind('\n');
  if (at != std::string_view::npos) text.remove_prefix(at + 1);
  return acceptance::excerpt_of(text, 0, text.size());
}

const schema::CommandCheckT* command_of(const RunState& run, Subject subject,
                                        std::uint32_t number) {
  const JobState* job = find_job(run, subject.job);
  if (job == nullptr || job->declared == nullptr || job->declared->acceptance == nullptr)
    return nullptr;
  const auto& all = job->declared->acceptance->commands;
  return number == 0 || number > all.size() ? nullptr : all[number - 1].get();
}

Result<acceptance::CommandOutcome> outcome_of(RunRecord& record,
                                              const schema::GateCommandEnded& end) {
  acceptance::CommandOutcome outcome;
  outcome.exit_code = end.exit_code();
  outcome.signal = end.signal();
  outcome.duration_ms = end.duration_ms();
  if (end.error() != nullptr) outcome.error = end.error()->str();
  outcome.output_bytes = end.output_bytes();
  if (end.output() == nullptr) return outcome;
  outcome.output = *end.output();
  const auto text = record.log().get_blob(*end.output());
  if (text.ok()) outcome.excerpt = last_line_of(text_of(*text));
  return outcome;
}

void hand_over(std::optional<AttemptOutput>& from, std::optional<AttemptOutput>& to) {
  if (from) to.emplace(std::move(*from));
  from.reset();
}

constexpr std::string_view lost_words = "its supervisor died while it ran; it is asked again";

std::string why(schema::StopReason reason) {
  switch (reason) {
    case schema::StopReason::deadline:
      return "stopped by its timeout";
    case schema::StopReason::run_stopped:
      return "stopped with its run";
    case schema::StopReason::cancelled:
      return "stopped because its job was cancelled";
    default:
      return "stopped by the supervisor";
  }
}

}  // namespace

std::string command_marker(const std::string& run_id, Subject subject, std::uint32_t command) {
  return fmt::format("{}/{}/{}/check{}", run_id, subject.job, subject.attempt, command);
}

CommandText read_command_output(const std::filesystem::path& path) {
  CommandText read;
  const process::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts {};
  if (!file.is_open() || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return read;
  read.bytes = static_cast<std::uint64_t>(facts.st_size);
  if (read.bytes <= head_bytes + tail_bytes) {
    read.text = read_at(file.get(), 0, read.bytes);
  } else {
    read.text = read_at(file.get(), 0, head_bytes);
    read.text +=
        fmt::format("\n[… {} bytes are left out here …]\n", read.bytes - head_bytes - tail_bytes);
    read.text += read_at(file.get(), read.bytes - tail_bytes, tail_bytes);
  }
  read.last_line = last_line_of(read.text);
  return read;
}

Result<KnownCommands> known_commands(RunRecord& record, Subject subject) {
  KnownCommands known;
  const AttemptState& attempt = *find_attempt(record.state(), subject.job, subject.attempt);
  auto reader = record.log().read_stream(run_stream(record.run_id()), {attempt.first_revision});
  while (reader.next()) {
    const schema::Head& head = reader.event().head();
    if (head.job() != subject.job || head.attempt() != subject.attempt) continue;
    if (const auto* asked = reader.event().envelope->payload_as_GateCommandRequested())
      known.open = asked->command();
    const auto* end = reader.event().envelope->payload_as_GateCommandEnded();
    if (end == nullptr) continue;
    known.open = 0;
    // A lost one is asked again, under its number.
    if (end->error() != nullptr && end->error()->string_view() == lost_words) continue;
    known.outcomes.push_back(PIEVT_TRY(outcome_of(record, *end)));
  }
  PIEVT_TRY(Status(reader.status()));
  return known;
}

// Whether the attempt's end has to wait for commands of its contract.
Result<bool> Supervisor::ask_commands(Token token, LiveAttempt& attempt) {
  if (!attempt.commands) {
    if (command_of(record_.state(), attempt.subject, 1) == nullptr ||
        !claims_to_be_done(record_, attempt))
      return false;
    PIEVT_TRY(record_.commit());
    KnownCommands known = PIEVT_TRY(known_commands(record_, attempt.subject));
    attempt.commands = std::make_shared<GateCommands>();
    attempt.commands->outcomes = std::move(known.outcomes);
    if (known.open != 0) PIEVT_TRY(end_lost_command(attempt, known.open));
    hand_over(attempt.output, attempt.commands->said);
  }
  const auto next = std::make_shared<GateCommands>();
  next->outcomes = std::move(attempt.commands->outcomes);
  hand_over(attempt.commands->said, next->said);
  attempt.commands = next;
  // Whoever stops a run now does not want to see the rest of its checks begin.
  const auto wanted = [&] {
    return command_of(record_.state(), attempt.subject,
                      static_cast<std::uint32_t>(next->outcomes.size() + 1));
  };
  if (record_.state().stop_mode == schema::StopMode::now)
    while (wanted() != nullptr)
      next->outcomes.emplace_back().error = "not run, because the run is being stopped";
  if (wanted() == nullptr) {
    hand_over(next->said, attempt.output);
    return false;
  }
  next->number = static_cast<std::uint32_t>(next->outcomes.size() + 1);
  next->output = command_file(attempt, next->number);
  attempt.stop_reason = schema::StopReason::unknown;
  attempt.deadline.reset();
  attempt.step_over.reset();
  PIEVT_TRY(launcher_.request_command(record_, attempt.subject, next->number, attempt.cwd));
  PIEVT_TRY(command_input(token, attempt, ChildInput::start));
  return true;
}

std::filesystem::path Supervisor::command_file(const LiveAttempt& attempt,
                                               std::uint32_t number) const {
  return launch::attempt_files(options_.store, attempt_name(record_.state(), attempt.subject))
             .directory /
         fmt::format("check-{}.out", number);
}

Status Supervisor::end_lost_command(LiveAttempt& attempt, std::uint32_t number) {
  schema::GateCommandStopRequestedT intent;
  intent.command = number;
  intent.reason = lost_words;
  intent.signal = SIGKILL;
  intent.step = 1;
  PIEVT_TRY(record_.propose({std::move(intent), attempt.subject}));
  PIEVT_TRY(record_.commit());
  const process::SweepReport swept =
      PIEVT_TRY(process::sweep(command_marker(record_.run_id(), attempt.subject, number)));
  schema::GateCommandEndedT ended;
  ended.command = number;
  ended.error = lost_words;
  ended.left_behind = static_cast<std::uint32_t>(swept.killed.size());
  PIEVT_TRY(record_.propose({std::move(ended), attempt.subject}));
  std::error_code ignored;
  std::filesystem::remove(command_file(attempt, number), ignored);
  return {};
}

Status Supervisor::command_input(Token token, LiveAttempt& attempt, ChildInput what) {
  GateCommands& commands = *attempt.commands;
  const process::ChildStep step = process::child_step(commands.machine, what);
  commands.machine = step.next;
  const bool signals = step.move == ChildMove::signal_term ||
                       step.move == ChildMove::signal_term_again ||
                       step.move == ChildMove::signal_kill;
  if (signals) {
    if (commands.error.empty()) commands.error = why(attempt.stop_reason);
    schema::GateCommandStopRequestedT intent;
    intent.command = commands.number;
    intent.reason = commands.error;
    intent.signal = step.move == ChildMove::signal_kill ? SIGKILL : SIGTERM;
    intent.step = ++commands.stop_step;
    PIEVT_TRY(record_.propose({std::move(intent), attempt.subject}));
  }
  if (step.move != ChildMove::none) acts_.push_back({token, step.move});
  return {};
}

Status Supervisor::carry_out_command(const Act& act, LiveAttempt& attempt) {
  GateCommands& commands = *attempt.commands;
  switch (act.move) {
    case ChildMove::none:
      return {};
    case ChildMove::spawn:
      return start_command(act.token, attempt);
    case ChildMove::signal_term:
    case ChildMove::signal_term_again:
    case ChildMove::signal_kill:
      if (attempt.process)
        PIEVT_TRY(attempt.process->signal(act.move == ChildMove::signal_kill ? SIGKILL : SIGTERM));
      if (process::waits_for_timeout(commands.machine))
        attempt.step_over = Clock::now() + options_.stop_grace;
      return {};
    case ChildMove::sweep: {
      const process::SweepReport swept = PIEVT_TRY(
          process::sweep(command_marker(record_.run_id(), attempt.subject, commands.number)));
      commands.left_behind = static_cast<std::uint32_t>(swept.killed.size());
      return command_input(act.token, attempt, ChildInput::drained);
    }
    case ChildMove::settle:
      PIEVT_TRY(end_command(attempt));
      return finish(act.token, attempt);
  }
  return {};
}

Status Supervisor::start_command(Token token, LiveAttempt& attempt) {
  GateCommands& commands = *attempt.commands;
  commands.began = Clock::now();
  Result<process::Spawned> spawned =
      launcher_.start_command(record_.state(), attempt.subject, commands.number, attempt.cwd,
                              commands.output, files_.original());
  if (!spawned.ok()) {
    if (spawned.error().code == Errc::no_space) return spawned.error();
    commands.error = spawned.error().what;
    return command_input(token, attempt, ChildInput::spawn_failed);
  }
  attempt.process.emplace(std::move(spawned->process));
  schema::GateCommandStartedT started;
  started.command = commands.number;
  started.executable = spawned->executable;
  const process::ProcessId& id = attempt.process->id();
  started.process = std::make_unique<schema::ProcessIdT>();
  started.process->pid = static_cast<std::uint32_t>(id.pid);
  started.process->start_ticks = id.start_ticks;
  started.process->boot_id = id.boot_id;
  started.process->pid_namespace = id.pid_namespace;
  PIEVT_TRY(record_.propose({std::move(started), attempt.subject}));
  const auto* check = command_of(record_.state(), attempt.subject, commands.number);
  attempt.deadline = Clock::now() + std::chrono::milliseconds(check->timeout_ms);
  PIEVT_TRY(poller_.add(attempt.process->fd(), process::Interest::read, token));
  PIEVT_TRY(command_input(token, attempt, ChildInput::spawned));
  return command_input(token, attempt, ChildInput::ready);
}

Status Supervisor::reap_command(Token token, LiveAttempt& attempt) {
  GateCommands& commands = *attempt.commands;
  const auto status = PIEVT_TRY(attempt.process->reap());
  if (!status) return {};
  PIEVT_TRY(poller_.remove(attempt.process->fd()));
  attempt.process.reset();
  attempt.deadline.reset();
  attempt.step_over.reset();
  commands.exit_code = static_cast<std::uint32_t>(status->exit_code.value_or(0));
  commands.signal = static_cast<std::uint32_t>(status->signal.value_or(0));
  commands.resources.emplace();
  commands.resources->user_us = status->resources.user_us;
  commands.resources->system_us = status->resources.system_us;
  commands.resources->peak_kib = status->resources.peak_kib.value_or(0);
  return command_input(token, attempt, ChildInput::exited);
}

Status Supervisor::end_command(LiveAttempt& attempt) {
  GateCommands& commands = *attempt.commands;
  const CommandText said = read_command_output(commands.output);
  acceptance::CommandOutcome outcome;
  outcome.exit_code = commands.exit_code;
  outcome.signal = commands.signal;
  outcome.error = commands.error;
  outcome.excerpt = said.last_line;
  outcome.output_bytes = said.bytes;
  outcome.duration_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - commands.began).count());
  schema::GateCommandEndedT ended;
  ended.command = commands.number;
  ended.exit_code = outcome.exit_code;
  ended.signal = outcome.signal;
  ended.duration_ms = outcome.duration_ms;
  ended.output_bytes = outcome.output_bytes;
  ended.error = outcome.error;
  ended.left_behind = commands.left_behind;
  if (commands.resources)
    ended.resources = std::make_unique<schema::ResourceUseT>(*commands.resources);
  if (!said.text.empty()) {
    ended.output = PIEVT_TRY(record_.put_text(said.text));
    outcome.output = *ended.output;
  }
  PIEVT_TRY(record_.propose({std::move(ended), attempt.subject}));
  commands.outcomes.push_back(std::move(outcome));
  return {};
}

}  // namespace pievt::supervisor
