#include "tools/verbs/replay_step.h"

#include <algorithm>
#include <cctype>

#include <unistd.h>

#include <fmt/format.h>

#include "store/views/run_view.h"
#include "tools/render/raw_terminal.h"
#include "tools/render/sanitise.h"
#include "tools/render/width.h"
#include "tools/verbs/event_fields.h"
#include "tools/verbs/event_names.h"
#include "tools/verbs/run_report.h"
#include "tools/verbs/state_leaves.h"

namespace pievt::tools {
namespace {

using render::Key;
using render::Style;

constexpr std::string_view help_line =
    "n next  p previous  N P ten  g first  G last  j jump  / filter  s state  q quit";

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

class Stepper {
 public:
  Stepper(Context& context, const Log& log, std::string run, Revision last)
      : context_(context), log_(log), run_(std::move(run)), last_(last.value), names_(log) {}

  Result<Exit> run() {
    render::RawTerminal terminal(STDIN_FILENO, STDOUT_FILENO, context_.terminal);
    // From the beginning, or at the moment that was asked for.
    PIEVT_TRY(go(context_.globals.at ? last_ : 1));
    for (;;) {
      paint(terminal);
      const Key key = terminal.read(-1);
      if (key.kind == Key::Kind::end || key.is('q') || context_.out.done()) return Exit::ok;
      message_.clear();
      PIEVT_TRY(obey(key, terminal));
    }
  }

 private:
  Status obey(const Key& key, render::RawTerminal& terminal) {
    using Kind = Key::Kind;
    if (key.is('n') || key.is(' ') || key.kind == Kind::right || key.kind == Kind::down)
      return search(1);
    if (key.is('p') || key.kind == Kind::left || key.kind == Kind::up) return search(-1);
    if (key.is('N') || key.kind == Kind::page_down) return go(std::min(last_, at_ + 10));
    if (key.is('P') || key.kind == Kind::page_up) return go(at_ > 10 ? at_ - 10 : 1);
    if (key.is('g') || key.kind == Kind::home) return go(1);
    if (key.is('G') || key.kind == Kind::end_key) return go(last_);
    if (key.is('s')) {
      with_state_ = !with_state_;
      return {};
    }
    if (key.is('j')) return jump(terminal.read_line("jump to event: "));
    if (key.is('/')) {
      filter_ = lower(terminal.read_line("only events with: "));
      if (!filter_.empty() && !fits(at_)) return search(1);
    }
    return {};
  }

  Status jump(std::string typed) {
    if (typed.starts_with('#')) typed.erase(0, 1);
    std::uint64_t to = 0;
    for (const char c : typed) {
      if (c < '0' || c > '9' || to > last_) {
        to = 0;
        break;
      }
      to = to * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (to == 0 || to > last_) {
      message_ = fmt::format("there is no event {}; they are #1 to #{}", typed, last_);
      return {};
    }
    return go(to);
  }

  Status search(int direction) {
    for (std::uint64_t to = at_;;) {
      if ((direction > 0 && to >= last_) || (direction < 0 && to <= 1)) {
        message_ = filter_.empty()
                       ? direction > 0 ? "that was the last event" : "that was the first event"
                       : fmt::format("no further event with \"{}\"", filter_);
        return {};
      }
      to = direction > 0 ? to + 1 : to - 1;
      if (fits(to)) return go(to);
    }
  }

  bool fits(std::uint64_t revision) {
    if (filter_.empty()) return true;
    auto reader = log_.read_stream(run_stream(run_), {revision}, {revision});
    if (!reader.next()) return false;
    const EventView& event = reader.event();
    if (lower(std::string(type_name(event.type()))).find(filter_) != std::string::npos) return true;
    if (lower(names_.subject(event)).find(filter_) != std::string::npos) return true;
    return lower(fields_line(payload_fields(event), plain_)).find(filter_) != std::string::npos;
  }

  Status go(std::uint64_t to) {
    if (state_.revision != to - 1)
      state_ = to == 1 ? RunState() : PIEVT_TRY(load_run(log_, run_, {to - 1}));
    auto reader = log_.read_stream(run_stream(run_), {to}, {to});
    if (!reader.next()) {
      PIEVT_TRY(reader.status());
      return Error{Errc::not_found, fmt::format("the run has no event #{}", to)};
    }
    const EventView& event = reader.event();
    names_.see(event);
    const std::uint32_t job = event.head().job(), gate = event.head().gate();
    const Leaves run_before = PIEVT_TRY(leaves_of_run(state_));
    const Leaves job_before = PIEVT_TRY(leaves_of_job(state_, job));
    const Leaves gate_before = PIEVT_TRY(leaves_of_gate(state_, gate));
    apply(state_, event);
    changes_.clear();
    add("", changes_between(run_before, PIEVT_TRY(leaves_of_run(state_))));
    add("job.", changes_between(job_before, PIEVT_TRY(leaves_of_job(state_, job))));
    add("gate.", changes_between(gate_before, PIEVT_TRY(leaves_of_gate(state_, gate))));
    at_ = to;
    const std::string subject = names_.subject(event);
    title_ = fmt::format(
        "#{} of {}  {}  {}{}", to, last_,
        render::clock_text(static_cast<std::int64_t>(event.time_ns()), context_.globals.zone),
        type_name(event.type()), subject.empty() ? "" : "  " + render::one_line(subject));
    fields_ = fields_line(payload_fields(event), context_.terminal);
    return {};
  }

  // The counters that every event moves are no news.
  void add(const std::string& prefix, const std::vector<FieldChange>& changes) {
    for (const FieldChange& change : changes) {
      if (change.path == "revision" || change.path == "updated_ns" ||
          change.path.ends_with("last_revision"))
        continue;
      const std::string path = prefix + change.path;
      const auto shown = [](const std::string& value) { return render::one_line(value); };
      if (change.before.empty()) {
        changes_.push_back(fmt::format("  + {} = {}", path, shown(change.after)));
      } else if (change.after.empty()) {
        changes_.push_back(fmt::format("  - {} = {}", path, shown(change.before)));
      } else {
        changes_.push_back(
            fmt::format("  ~ {} = {} -> {}", path, shown(change.before), shown(change.after)));
      }
    }
  }

  void paint(render::RawTerminal& terminal) {
    std::vector<std::string> lines{render::styled(context_.terminal, Style::bold, title_), fields_,
                                   changes_.empty() ? "changed nothing but the count" : "changed:"};
    lines.insert(lines.end(), changes_.begin(), changes_.end());
    const ReportStyle style{context_.terminal, context_.globals.zone, state_.updated_ns};
    if (with_state_) {
      const auto state = live_lines(state_, style);
      lines.insert(lines.end(), state.begin(), state.end());
    } else {
      lines.push_back(run_headline(state_, style));
    }
    if (!filter_.empty()) lines.push_back(fmt::format("only events with \"{}\"", filter_));
    if (!message_.empty()) lines.push_back(message_);
    if (terminal.full_screen())
      lines.push_back(render::styled(context_.terminal, Style::dim, help_line));
    terminal.show(context_.out, lines);
  }

  Context& context_;
  const Log& log_;
  std::string run_;
  std::uint64_t last_, at_ = 0;
  EventNames names_;
  RunState state_;
  std::vector<std::string> changes_;
  std::string title_, fields_, filter_, message_;
  bool with_state_ = false;
  render::Terminal plain_;
};

}  // namespace

Result<Exit> step_through(Context& context, const Log& log, const std::string& run, Revision last) {
  const Revision end = last.value != 0 ? last : PIEVT_TRY(log.stream_head(run_stream(run)));
  return Stepper(context, log, run, end).run();
}

}  // namespace pievt::tools
