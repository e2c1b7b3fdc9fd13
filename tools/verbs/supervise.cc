#include "tools/verbs/supervise.h"

#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/launch/environment.h"
#include "supervisor/record/clock.h"
#include "tools/agent_tools/installed.h"
#include "tools/render/live.h"
#include "tools/verbs/run_report.h"

namespace pievt::tools {
namespace {

ReportStyle style_for(const Context& context, const render::Terminal& terminal) {
  return {terminal, context.globals.zone, supervisor::wall_now_ns()};
}

// On a terminal the whole picture, repainted; elsewhere a line for each job that ends.
class Progress {
 public:
  explicit Progress(Context& context)
      : context_(context), live_(context.talk.writer(), context.talk.terminal()) {}

  void show(const RunState& run) {
    if (context_.globals.loudness == Loudness::quiet) return;
    const auto now = static_cast<std::int64_t>(supervisor::wall_now_ns());
    if (context_.talk.terminal().is_tty) {
      live_.show(live_lines(run, style_for(context_, context_.talk.terminal())), now);
      shown_ = true;
      return;
    }
    reported_.resize(run.jobs.size());
    for (std::size_t i = 0; i < run.jobs.size(); ++i) {
      const JobState& job = *run.jobs[i];
      const bool ended = job.phase == state::JobPhase::finished;
      if (ended && !reported_[i]) {
        context_.talk.say(
            fmt::format("{}: {}, {}", job.id, schema::EnumNameJobStatus(job.status), job.reason));
      }
      reported_[i] = ended;
    }
  }

  void finish() {
    if (shown_) live_.finish();
  }

 private:
  Context& context_;
  render::LiveView live_;
  std::vector<bool> reported_;
  bool shown_ = false;
};

Exit exit_of(const RunState& run, bool interrupted) {
  if (run.ending == schema::RunEnding::succeeded) return Exit::ok;
  return interrupted ? Exit::interrupted : Exit::no;
}

}  // namespace

supervisor::Options supervisor_options(const std::filesystem::path& store, std::string pi) {
  supervisor::Options options;
  options.store = std::filesystem::absolute(store);  // children have other working directories
  options.pi = std::move(pi);
  options.environment = launch::read_environment(environ);
  options.extension_program = own_program();
  options.extension = extension_file(options.extension_program);
  return options;
}

supervisor::Options supervisor_options(const Context& context, const std::filesystem::path& store) {
  supervisor::Options options =
      supervisor_options(store, std::string(context.arguments.text_or("--pi", "pi")));
  options.program = fmt::format("pievt {}", context.verb.name);
  if (context.arguments.has("--no-probe")) options.probe = supervisor::Probe::none;
  return options;
}

schema::RequesterT this_requester(std::string program) {
  schema::RequesterT out;
  out.uid = ::getuid();
  out.pid = static_cast<std::uint32_t>(::getpid());
  out.program = std::move(program);
  return out;
}

Result<Exit> supervise(Context& context, supervisor::RunRecord& record,
                       supervisor::Options& options, const process::Signals& signals,
                       const std::function<Status()>& prepare,
                       const std::function<Status()>& begun) {
  Progress progress(context);
  options.on_change = [&](const RunState& run) { progress.show(run); };
  const auto supervisor = PIEVT_TRY(supervisor::Supervisor::create(record, options, signals));
  if (prepare) PIEVT_TRY(prepare());
  PIEVT_TRY(supervisor->begin());
  if (begun) PIEVT_TRY(begun());
  PIEVT_TRY(supervisor->run());
  progress.finish();
  PIEVT_TRY(save_views(record.log(), record.run_id()));

  const RunState& run = record.state();
  if (context.wants_json()) {
    PIEVT_TRY(write_run_document(context, run));
  } else {
    const ReportStyle style = style_for(context, context.terminal);
    context.out.write(job_table(run, style));
    context.out.line(run_headline(run, style));
  }
  return exit_of(run, run.stop_reason.starts_with("signal "));
}

}  // namespace pievt::tools
