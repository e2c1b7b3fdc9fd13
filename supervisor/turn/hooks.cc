#include "supervisor/turn/hooks.h"

#include <algorithm>
#include <array>
#include <csignal>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "store/format/reflect_json.h"
#include "supervisor/process/spawn.h"

namespace pievt::supervisor {
namespace {

using process::Clock;

constexpr std::size_t output_bytes_max = 64u << 10;
constexpr std::chrono::seconds kill_after{2};

// `{"schema":"pievt.hook",...,"run":{...}}`, the run as `pievt show -o json` prints it.
Result<std::string> document(const std::string& hook, const std::string& reason,
                             const std::vector<std::string>& news, const Options& options,
                             const RunState& run) {
  reflect::JsonWriter out;
  const auto text = [&](std::string_view key, const std::string& value) {
    out.key(key);
    out.value(reflect::Value(std::string_view(value)));
  };
  out.begin_object();
  text("schema", "pievt.hook");
  out.key("schema_version");
  out.value(reflect::Value(std::uint64_t{1}));
  text("hook", hook);
  text("reason", reason);
  out.key("news");
  out.begin_array();
  for (const std::string& sentence : news) out.value(reflect::Value(std::string_view(sentence)));
  out.end_array();
  text("store", options.store.string());
  out.end_object();
  std::string all = out.take();
  all.pop_back();  // the brace: one more member comes, which is JSON already
  all += ",\"run\":";
  all += PIEVT_TRY(reflect::to_json(reflect::Schema::embedded_run_state(), to_bytes(run)));
  all += "}\n";
  return all;
}

// A file of no directory, to be read from its start.
Result<process::Fd> input_file(const std::string& text) {
  process::Fd file(::memfd_create("pievt-hook", MFD_CLOEXEC));
  if (!file.is_open()) return os_error(Errc::io, "no file for a hook's input", errno);
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(file.get(), text.data() + at, text.size() - at);
    if (written <= 0) return os_error(Errc::io, "a hook's input cannot be written", errno);
    at += static_cast<std::size_t>(written);
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

}  // namespace

Status Hooks::plan(RunRecord& record) {
  const RunState& run = record.state();
  if (options_.settings.on_attention) {
    for (std::string& sentence : attention_.news(run)) news_.push_back(std::move(sentence));
  }
  if (wanted_ || running_) return {};
  if (!news_.empty()) {
    const std::vector<std::string> news = std::exchange(news_, {});
    return request(record, "onAttention", *options_.settings.on_attention,
                   fmt::format("{}", fmt::join(news, "; ")), news);
  }
  if (run.phase != state::RunPhase::finished || finish_told_) return {};
  finish_told_ = true;
  if (!options_.settings.on_finish) return {};
  return request(record, "onFinish", *options_.settings.on_finish, run.reason, {});
}

Status Hooks::request(RunRecord& record, std::string hook, const settings::Hook& command,
                      std::string reason, const std::vector<std::string>& news) {
  Wanted wanted{std::move(hook), command.run, {}, record.state().hooks + 1, command.timeout_ms};
  wanted.input = PIEVT_TRY(document(wanted.hook, reason, news, options_, record.state()));
  schema::HookRequestedT event;
  event.hook = wanted.hook;
  event.program = wanted.argv.front();
  std::ranges::replace(reason, '\n', ' ');
  event.reason = std::move(reason);
  event.input = PIEVT_TRY(record.put_text(wanted.input, schema::BlobKind::json));
  event.timeout_ms = wanted.timeout_ms;
  event.number = wanted.number;
  PIEVT_TRY(record.propose({std::move(event)}));
  wanted_ = std::move(wanted);
  return {};
}

Status Hooks::act(RunRecord& record) {
  if (!wanted_) return {};
  running_ = std::exchange(wanted_, std::nullopt);
  started_at_ = Clock::now();
  next_signal_ = started_at_ + std::chrono::milliseconds(running_->timeout_ms);
  signalled_ = Signalled::no;
  output_.clear();
  const Status started = start(record);
  if (started.ok()) return {};
  schema::HookFinishedT event;
  event.hook = running_->hook;
  event.number = running_->number;
  event.error = started.error().what;
  stop_watching();
  running_.reset();
  PIEVT_TRY(record.propose({std::move(event)}));
  return {};
}

Status Hooks::start(RunRecord& record) {
  const process::Fd input = PIEVT_TRY(input_file(running_->input));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error(Errc::io, "no pipe for a hook", errno);
  output_fd_ = process::Fd(ends[0]);
  const process::Fd theirs(ends[1]);
  ::fcntl(output_fd_.get(), F_SETFL, O_NONBLOCK);
  std::vector<process::Variable> environment = options_.environment;
  std::erase_if(environment, [](const auto& variable) { return variable.name == "PIEVT_RUN"; });
  environment.push_back({"PIEVT_RUN", record.run_id()});
  process::Spawned spawned =
      PIEVT_TRY(process::spawn({.argv = running_->argv,
                                .environment = std::move(environment),
                                .cwd = record.state().cwd,
                                .input = process::BorrowedFd{input.get()},
                                .output = process::BorrowedFd{theirs.get()},
                                .error = process::BorrowedFd{theirs.get()}}));
  process_.emplace(std::move(spawned.process));
  PIEVT_TRY(poller_.add(process_->fd(), process::Interest::read, first_token_));
  return poller_.add(output_fd_.get(), process::Interest::read, first_token_ + 1);
}

void Hooks::read_output() {
  std::array<char, 16u << 10> piece{};
  while (output_fd_.is_open()) {
    const ssize_t got = ::read(output_fd_.get(), piece.data(), piece.size());
    if (got < 0) return;
    if (got == 0) {
      static_cast<void>(poller_.remove(output_fd_.get()));
      output_fd_.reset();
      return;
    }
    const std::size_t room = output_bytes_max - std::min(output_bytes_max, output_.size());
    output_.append(piece.data(), std::min(room, static_cast<std::size_t>(got)));
  }
}

Status Hooks::check(RunRecord& record) {
  if (!process_) return {};
  read_output();
  if (const auto status = PIEVT_TRY(process_->reap())) return finish(record, *status);
  if (signalled_ == Signalled::kill || Clock::now() < next_signal_) return {};
  // It leads a process group, whose number cannot be another's before it has been reaped.
  const bool again = signalled_ == Signalled::term;
  ::kill(-process_->id().pid, again ? SIGKILL : SIGTERM);
  signalled_ = again ? Signalled::kill : Signalled::term;
  next_signal_ = Clock::now() + kill_after;
  return {};
}

// Who goes on in the background with its output is not waited for.
Status Hooks::finish(RunRecord& record, const process::ExitStatus& status) {
  read_output();
  schema::HookFinishedT event;
  event.hook = running_->hook;
  event.number = running_->number;
  event.exit_code = static_cast<std::uint32_t>(status.exit_code.value_or(0));
  event.signal = static_cast<std::uint32_t>(status.signal.value_or(0));
  event.duration_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_at_).count());
  if (signalled_ != Signalled::no)
    event.error = fmt::format("stopped: it took longer than {} ms", running_->timeout_ms);
  if (!output_.empty()) event.output = PIEVT_TRY(record.put_text(output_, schema::BlobKind::bytes));
  stop_watching();
  running_.reset();
  PIEVT_TRY(record.propose({std::move(event)}));
  return {};
}

void Hooks::stop_watching() {
  if (process_) static_cast<void>(poller_.remove(process_->fd()));
  if (output_fd_.is_open()) static_cast<void>(poller_.remove(output_fd_.get()));
  process_.reset();
  output_fd_.reset();
}

std::optional<process::Moment> Hooks::next_deadline() const {
  if (!process_ || signalled_ == Signalled::kill) return std::nullopt;
  return next_signal_;
}

bool Hooks::is_idle(const RunState& run) const {
  if (wanted_ || running_ || !news_.empty()) return false;
  return run.phase != state::RunPhase::finished || finish_told_;
}

}  // namespace pievt::supervisor
