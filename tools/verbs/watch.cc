// `pievt watch [run]`: what runs, as it runs, on the whole screen.
#include <algorithm>
#include <map>

#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/record/clock.h"
#include "tools/render/raw_terminal.h"
#include "tools/render/sanitise.h"
#include "tools/verbs/access.h"
#include "tools/verbs/run_report.h"
#include "tools/verbs/run_status.h"

namespace pievt::tools::verbs {
namespace {

using render::Key;
using render::Style;

constexpr std::array options_of_watch = {
    argument("run", "only this run, until it has finished; all that run when left out")
        .completing(Complete::runs),
};

constexpr Manual manual_of_watch = {
    .details =
        "Shows every run that goes on with its jobs, repainted as events arrive; q leaves, the "
        "arrows and page keys scroll. Watching writes nothing and disturbs nobody. Without a "
        "terminal the picture is printed once.",
    .options = options_of_watch,
    .examples = {{{"pievt watch", "everything that runs now"},
                  {"pievt watch last", "the last run, until it has finished"}}},
    .outputs = Outputs::text_only,
};

class Watcher {
 public:
  Watcher(Context& context, Log& log, std::string only)
      : context_(context), log_(log), only_(std::move(only)) {}

  Result<Exit> run() {
    std::vector<std::string> last;
    PIEVT_TRY(paint_until_over(last));
    // The other screen is gone by now; how it ended stays.
    for (const std::string& line : last) context_.out.line(line);
    return Exit::ok;
  }

 private:
  Status paint_until_over(std::vector<std::string>& last) {
    render::RawTerminal terminal(STDIN_FILENO, STDOUT_FILENO, context_.terminal);
    std::size_t skip = 0;
    for (;;) {
      PIEVT_TRY(log_.refresh());
      bool over = false;
      std::vector<std::string> lines = PIEVT_TRY(picture(terminal.terminal(), over));
      if (terminal.full_screen())
        lines.push_back(
            render::styled(context_.terminal, Style::dim, fmt::format("q quit   {}", now_text())));
      terminal.show(context_.out, lines, skip);
      if (terminal.full_screen() && over) {
        lines.pop_back();
        last = std::move(lines);
      }
      if (!terminal.full_screen() || over || context_.out.done()) return {};
      constexpr int round_ms = 500;
      const Key key = terminal.read(round_ms);
      if (key.kind == Key::Kind::end || key.is('q')) return {};
      const auto page = static_cast<std::size_t>(std::max(2, terminal.terminal().height)) - 1;
      const std::size_t furthest = lines.size() > page ? lines.size() - page : 0;
      if (key.kind == Key::Kind::down || key.is('j')) skip = std::min(skip + 1, furthest);
      if (key.kind == Key::Kind::up || key.is('k')) skip -= std::min<std::size_t>(skip, 1);
      if (key.kind == Key::Kind::page_down || key.is(' ')) skip = std::min(skip + page, furthest);
      if (key.kind == Key::Kind::page_up) skip -= std::min(skip, page);
      if (key.kind == Key::Kind::home) skip = 0;
    }
  }

  std::string now_text() const {
    return render::clock_text(static_cast<std::int64_t>(supervisor::wall_now_ns()),
                              context_.globals.zone, render::Precision::seconds);
  }

  // States are kept and folded on, so that a round costs what happened since the last one.
  Result<const RunState*> state_of(const std::string& run) {
    RunState& state = states_[run];
    if (state.revision == 0) {
      state = PIEVT_TRY(load_run(log_, run));
    } else {
      auto reader = log_.read_stream(run_stream(run), {state.revision + 1});
      while (reader.next()) apply(state, reader.event());
      PIEVT_TRY(reader.status());
    }
    return &state;
  }

  Result<std::vector<std::string>> picture(const render::Terminal& terminal, bool& over) {
    std::vector<std::string> lines;
    const LogInfo info = log_.info();
    const RunList list = PIEVT_TRY(load_runs(log_));
    for (auto run = list.runs.rbegin(); run != list.runs.rend(); ++run) {
      const RunSummary& summary = **run;
      const RunStatus status =
          run_status(summary.phase, summary.ending, summary.supervisor.get(), info);
      const bool goes_on =
          summary.phase != state::RunPhase::finished && status.word != "interrupted";
      if (only_.empty() ? !goes_on : summary.run_id != only_) continue;
      over = !only_.empty() && !goes_on;
      const RunState& state = *PIEVT_TRY(state_of(summary.run_id));
      if (!lines.empty()) lines.emplace_back();
      lines.push_back(render::styled(terminal, Style::heading, render::one_line(summary.run_id)) +
                      "  " + std::string(status.word));
      const ReportStyle style{terminal, context_.globals.zone,
                              goes_on ? supervisor::wall_now_ns() : summary.updated_ns};
      for (std::string& line : live_lines(state, style)) lines.push_back(std::move(line));
    }
    if (lines.empty()) {
      lines.emplace_back("nothing runs now");
      if (!list.runs.empty()) {
        const RunSummary& last = *list.runs.back();
        lines.push_back(fmt::format(
            "last: {}  {}  {}", render::one_line(last.run_id), render::one_line(last.name),
            run_status(last.phase, last.ending, last.supervisor.get(), info).word));
      }
    }
    return lines;
  }

  Context& context_;
  Log& log_;
  std::string only_;
  std::map<std::string, RunState> states_;
};

}  // namespace

const Manual& watch_manual() {
  return manual_of_watch;
}

Result<Exit> watch(Context& context) {
  if (context.globals.at)
    return Error{Errc::invalid, "watch shows the present; for the past: pievt show --at"};
  Log log = PIEVT_TRY(open_to_read(context));
  std::string only;
  if (const auto word = context.arguments.text("run"))
    only = PIEVT_TRY(whole_run(context, log, *word));
  say_scope(context, log, only, {});
  return Watcher(context, log, only).run();
}

}  // namespace pievt::tools::verbs
