// See call.h.
#include "tools/agent_tools/call.h"

#include <chrono>

#include <poll.h>

#include <fmt/format.h>

#include "pievt/query.h"
#include "supervisor/control/client.h"
#include "supervisor/control/detach.h"
#include "supervisor/plan/canonical.h"
#include "supervisor/settings/read_settings.h"
#include "supervisor/turn/plan_run.h"
#include "tools/agent_tools/run_text.h"
#include "tools/agent_tools/worker_report.h"

namespace pievt::tools {
namespace {

using plan::json_text;
using Clock = std::chrono::steady_clock;

// What shows that a call is alive; some callers give up after a minute of silence.
constexpr std::chrono::milliseconds heartbeat{2000};
constexpr std::string_view program = "pievt tool call";

/// `{"type":"cancel"}`; what else a caller may say later is not for this version.
bool is_cancel(const std::string& line) {
  plan::Problems problems;
  const plan::Source source("line", line);
  const auto tree = plan::JsonTree::parse(source, problems);
  if (!tree || tree->root().kind() != plan::JsonKind::object) return false;
  const auto type = tree->root().find("type");
  return type && type->kind() == plan::JsonKind::string && type->string() == "cancel";
}

class Call {
 public:
  Call(const CallRequest& request, CallerPipe& caller, render::Writer& out)
      : request_(request), caller_(caller), out_(out) {}

  CallEnd run() {
    const auto end = attempt();
    if (end.ok()) return *end;
    say_result(true, end.error().what, "null");
    return CallEnd::failed;
  }

 private:
  Result<CallEnd> attempt() {
    const auto line = PIEVT_TRY(caller_.wait_for_line());
    if (!line) return CallEnd::caller_gone;
    plan::Problems problems;
    const plan::Source source("arguments", *line);
    const auto tree = plan::JsonTree::parse(source, problems);
    if (!tree) return problems.error();
    if (request_.tool.is_for_workers()) return report(tree->root());
    if (!request_.tool.begins_run()) return read(tree->root());
    if (request_.nested)
      return Error{Errc::invalid_transition,
                   "this is a worker, and workers do not begin jobs: do the work here, or end with "
                   "a message that says what should be split"};
    return begin(tree->root());
  }

  Result<CallEnd> read(plan::JsonView arguments) {
    const auto words = PIEVT_TRY(request_.tool.command(arguments));
    const std::string text = PIEVT_TRY(request_.read(words));
    say_result(false, text, "null");
    return CallEnd::ok;
  }

  Result<CallEnd> report(plan::JsonView arguments) {
    if (request_.report.empty())
      return Error{Errc::invalid_transition,
                   "nobody reads a report here; say it in the last message"};
    const std::string text = PIEVT_TRY(request_.tool.report(arguments));
    PIEVT_TRY(write_report(request_.report, text));
    say_result(false, "the report is handed in; now end with a message that says the same in words",
               "null");
    return CallEnd::ok;
  }

  Result<CallEnd> begin(plan::JsonView arguments) {
    const CallOptions options = PIEVT_TRY(call_options(arguments));
    control::Start start;
    start.plan_text = PIEVT_TRY(request_.tool.plan(arguments, request_.caller));
    PIEVT_TRY(make_store());
    start.store = request_.store.string();
    start.run = supervisor::new_run_id();
    start.plan_path = fmt::format("{}.json", request_.tool.name);
    start.cwd = std::filesystem::current_path().string();
    start.plan_directory = start.cwd;
    start.pi = request_.pi;
    start.probe = request_.probe;
    start.tool = request_.tool.name;
    start.program = program;
    start.when_gone = when_gone(options);
    const control::Started started = PIEVT_TRY(control::start_detached(start));
    run_ = started.run;
    began_ = Clock::now();
    out_.line(fmt::format(R"({{"type":"started","run":{},"pid":{},"store":{}}})", json_text(run_),
                          started.pid, json_text(start.store)));
    out_.flush();
    if (options.detach) {
      say_result(false,
                 fmt::format("run {} has begun and goes on by itself. pievt show {} tells how it "
                             "is, pievt wait {} when it has ended, pievt stop {} ends it",
                             run_, run_, run_, run_),
                 fmt::format(R"({{"run":{}}})", json_text(run_)));
      return CallEnd::ok;
    }
    return follow(start.when_gone);
  }

  schema::CallerGone when_gone(const CallOptions& options) const {
    if (options.detach) return schema::CallerGone::continue_run;
    if (!options.stop_when_gone) return schema::CallerGone::unknown;  // as the settings say
    return *options.stop_when_gone ? schema::CallerGone::stop : schema::CallerGone::continue_run;
  }

  Status make_store() const {
    if (std::filesystem::exists(request_.store / "STORE")) return {};
    Log made = PIEVT_TRY(
        Log::open(request_.store, {.mode = OpenMode::create, .program = std::string(program)}));
    return made.close();
  }

  // Until the run has ended or the caller is gone. That this process holds the run is all that its
  // supervisor needs to know: when it is gone, so is the caller.
  Result<CallEnd> follow(schema::CallerGone gone) {
    auto run = control::Connection::open(request_.store, run_, program, control::soon());
    if (!run.ok()) return finish();  // it has ended already, or its supervisor has
    if (!run->ask(control::Hold{gone}, control::soon()).ok()) return finish();
    if (!run->ask(control::Subscribe{}, control::soon()).ok()) return finish();
    control::Progress last;
    while (true) {
      const auto told = run->next_progress(Clock::now());
      if (!told.ok()) return finish();
      if (*told) {
        last = **told;
        say_progress(last);
        if (last.phase == state::RunPhase::finished) return finish();
        continue;
      }
      pollfd wanted[2] = {
          {.fd = caller_.ended() ? -1 : caller_.fd(), .events = POLLIN, .revents = 0},
          {.fd = run->fd(), .events = POLLIN, .revents = 0}};
      if (::poll(wanted, 2, static_cast<int>(heartbeat.count())) == 0) say_progress(last);
      if (PIEVT_TRY(hear_caller(*run)) == Heard::gone) return CallEnd::caller_gone;
    }
  }

  enum class Heard : std::uint8_t { nothing, gone };

  Result<Heard> hear_caller(control::Connection& run) {
    while (true) {
      const auto line = caller_.next_line();
      if (!line.ok()) return line.error();
      if (!*line) return caller_.ended() ? Heard::gone : Heard::nothing;
      if (!is_cancel(**line)) continue;
      const auto asked = run.ask(
          control::Stop{schema::StopMode::now, "the caller cancelled the call"}, control::soon());
      if (!asked.ok() && asked.error().code != Errc::not_found) return asked.error();
    }
  }

  Result<CallEnd> finish() {
    const Log log = PIEVT_TRY(Log::open(request_.store, {.mode = OpenMode::read}));
    const RunState run = PIEVT_TRY(load_run(log, run_));
    if (run.phase != state::RunPhase::finished) {
      return Error{Errc::not_found,
                   fmt::format("the supervisor of run {} is gone and the run has not ended. What "
                               "was done is recorded; pievt resume {} goes on with it",
                               run_, run_)};
    }
    const RunResult result = PIEVT_TRY(run_result(log, run));
    say_result(result.failed, result.text, result.details);
    return result.failed ? CallEnd::failed : CallEnd::ok;
  }

  void say_progress(const control::Progress& progress) {
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_).count();
    const std::uint32_t ended =
        progress.succeeded + progress.failed + progress.cancelled + progress.skipped;
    out_.line(
        fmt::format(R"({{"type":"progress","run":{},"jobs":{},"running":{},"ended":{},"text":{}}})",
                    json_text(run_), progress.jobs, progress.running, ended,
                    json_text(progress_text(run_, progress, static_cast<std::uint64_t>(elapsed)))));
    out_.flush();
  }

  void say_result(bool is_error, const std::string& text, const std::string& details) {
    out_.line(fmt::format(R"({{"type":"result","is_error":{},"text":{},"details":{}}})", is_error,
                          json_text(text), details));
    out_.flush();
  }

  const CallRequest& request_;
  CallerPipe& caller_;
  render::Writer& out_;
  std::string run_;
  Clock::time_point began_ = Clock::now();
};

}  // namespace

CallEnd call(const CallRequest& request, CallerPipe& caller, render::Writer& out) {
  return Call(request, caller, out).run();
}

}  // namespace pievt::tools
