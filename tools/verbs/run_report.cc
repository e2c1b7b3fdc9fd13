#include "tools/verbs/run_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/format/reflect.h"
#include "store/format/reflect_json.h"
#include "tools/render/sanitise.h"
#include "tools/render/table.h"

namespace pievt::tools {
namespace {

using render::Cell;
using render::Style;
using schema::JobStatus;
using state::AttemptPhase;
using state::JobPhase;
using state::RunPhase;

std::string duration_ms(std::uint64_t ms) {
  return render::duration_text(static_cast<std::int64_t>(ms) * 1'000'000);
}

std::uint64_t since(std::uint64_t from_ns, std::uint64_t now_ns) {
  return from_ns != 0 && now_ns > from_ns ? (now_ns - from_ns) / 1'000'000 : 0;
}

// Who still runs may yet report what it used; of who ended, it stays unknown.
enum class Over : bool { no, yes };

std::string tokens_of(const state::UsageTotalsT* usage, Over over) {
  if (usage == nullptr || usage->requests == 0) return over == Over::yes ? "not reported" : "";
  if (usage->requests == usage->unreported) return "not reported";
  return render::count_text(usage->total_tokens);
}

std::string cost_of(const state::UsageTotalsT* usage, Over over) {
  if (usage == nullptr || usage->requests == 0) return over == Over::yes ? "not reported" : "";
  if (usage->requests == usage->unreported) return "not reported";
  // A sum with a part nobody reported is a lower bound, and says so.
  return fmt::format("{}{}", usage->unreported > 0 ? ">= " : "",
                     render::money_text(usage->cost_nanodollars));
}

Over over(const JobState& job) {
  return job.phase == JobPhase::finished && !job.attempts.empty() ? Over::yes : Over::no;
}

Over over(const AttemptState& attempt) {
  return attempt.phase == AttemptPhase::classified ? Over::yes : Over::no;
}

Cell status_cell(const JobState& job) {
  switch (job.phase) {
    case JobPhase::running:
      return {"running", Style::bold};
    case JobPhase::backoff:
      return {"retrying", Style::warn};
    case JobPhase::finished:
      break;
    default:
      return {"waiting", Style::dim};
  }
  switch (job.status) {
    case JobStatus::succeeded:
      return {"ok", Style::good};
    case JobStatus::failed:
      return {"FAILED", Style::bad};
    default:
      return {schema::EnumNameJobStatus(job.status), Style::warn};
  }
}

std::string job_why(const JobState& job) {
  if (job.phase == JobPhase::backoff)
    return fmt::format("again soon{}{}", job.retry_reason.empty() ? "" : ": ",
                       render::one_line(job.retry_reason));
  if (job.phase == JobPhase::finished) return render::one_line(job.reason);
  if (job.attempts.empty()) return "";
  const AttemptState& attempt = *job.attempts.back();
  if (attempt.tools_open > 0) return "in a tool";
  if (attempt.turns == 0 && attempt.provider_retries > 0)
    return fmt::format("provider: {}", render::one_line(attempt.last_error));
  return attempt.session_id.empty() ? "starting" : "waiting for the model";
}

std::uint64_t job_ms(const JobState& job, std::uint64_t now_ns) {
  const bool running = !job.attempts.empty() &&
                       job.attempts.back()->phase != AttemptPhase::classified &&
                       job.attempts.back()->exited_ns == 0;
  return job.duration_ms + (running ? since(job.attempts.back()->launched_ns, now_ns) : 0);
}

std::string attempt_ending(const AttemptState& attempt) {
  if (attempt.phase != AttemptPhase::classified) return state::EnumNameAttemptPhase(attempt.phase);
  return schema::EnumNameEnding(attempt.ending);
}

std::string exit_text(const AttemptState& attempt) {
  if (!attempt.launch_error.empty())
    return fmt::format("never started: {}", render::one_line(attempt.launch_error));
  if (attempt.lost != schema::LostReason::unknown) {
    return fmt::format("unknown: {}", schema::EnumNameLostReason(attempt.lost));
  }
  if (attempt.exited_ns == 0) return "";
  if (attempt.knowledge == schema::ExitKnowledge::ended_unobserved)
    return "ended, status not observable (adopted)";
  if (attempt.signal != 0) {
    return fmt::format("signal {} sent by {}", attempt.signal,
                       schema::EnumNameSignalSender(attempt.sender));
  }
  std::string text = fmt::format("code {}", attempt.exit_code);
  if (attempt.sender == schema::SignalSender::supervisor) text += " (asked to stop)";
  return text;
}

void add_line(std::string& out, std::string_view label, const std::string& value) {
  if (!value.empty()) out += fmt::format("  {:<12}{}\n", label, value);
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

std::string run_headline(const RunState& run, const ReportStyle& style) {
  std::size_t ok = 0, ended = 0, attempts = 0;
  for (const auto& job : run.jobs) {
    ok += job->status == JobStatus::succeeded ? 1u : 0u;
    ended += job->phase == JobPhase::finished ? 1u : 0u;
    attempts += job->attempts.size();
  }
  std::string word = state::EnumNameRunPhase(run.phase);
  Style look = Style::bold;
  if (run.phase == RunPhase::finished) {
    word =
        run.ending == schema::RunEnding::failed ? "FAILED" : schema::EnumNameRunEnding(run.ending);
    look = run.ending == schema::RunEnding::succeeded ? Style::good : Style::bad;
  }
  const std::uint64_t end = run.finished_ns != 0 ? run.finished_ns : style.now_ns;
  std::string line =
      fmt::format("{}  {}  {} of {} jobs ok, {} ended  {}  {}", render::one_line(run.name),
                  render::styled(style.terminal, look, word), ok, run.jobs.size(), ended,
                  render::plural(attempts, "attempt"), duration_ms(since(run.started_ns, end)));
  const Over over = run.phase == RunPhase::finished && attempts > 0 ? Over::yes : Over::no;
  const std::string tokens = tokens_of(run.usage.get(), over);
  const std::string cost = cost_of(run.usage.get(), over);
  if (tokens == "not reported") {
    line += "  tokens and cost not reported";
  } else if (!tokens.empty()) {
    line += fmt::format("  {} tokens  {}", tokens, cost);
  }
  if (run.phase == RunPhase::finished && run.ending == schema::RunEnding::stopped) {
    line += fmt::format("\nstopped: {}", render::one_line(run.reason));
  }
  return line;
}

std::string job_table(const RunState& run, const ReportStyle& style) {
  using render::Align;
  using render::Narrow;
  render::Table table(
      {{.title = "JOB", .narrow = Narrow::shrink, .width_min = 8, .width_max = 32, .importance = 3},
       {.title = "STATUS"},
       {.title = "WHY", .narrow = Narrow::shrink, .width_min = 16, .importance = 2},
       {.title = "ATTEMPTS", .align = Align::right, .narrow = Narrow::drop, .importance = 1},
       {.title = "TIME", .align = Align::right},
       {.title = "TOKENS", .align = Align::right, .narrow = Narrow::drop},
       {.title = "COST", .align = Align::right, .narrow = Narrow::drop, .importance = 1}});
  for (const auto& job : run.jobs) {
    const std::uint64_t ms = job_ms(*job, style.now_ns);
    table.row({render::one_line(job->id), status_cell(*job), job_why(*job),
               std::to_string(job->attempts.size()), ms == 0 ? "" : duration_ms(ms),
               tokens_of(job->usage.get(), over(*job)), cost_of(job->usage.get(), over(*job))});
  }
  return table.render(style.terminal);
}

std::string attempt_report(const AttemptState& attempt, const ReportStyle& style) {
  std::string out = fmt::format("attempt {}  {}  {}\n", attempt.number, attempt_ending(attempt),
                                attempt.duration_ms == 0 ? "" : duration_ms(attempt.duration_ms));
  add_line(out, "why", render::one_line(attempt.reason));
  if (attempt.launched_ns != 0) {
    add_line(out, "started",
             render::rfc3339(static_cast<std::int64_t>(attempt.launched_ns), style.zone));
  }
  if (attempt.process != nullptr) {
    add_line(out, "process",
             fmt::format("{}{}", attempt.process->pid,
                         attempt.adopted > 0 ? ", adopted by a later supervisor" : ""));
  }
  add_line(out, "exit", exit_text(attempt));
  add_line(out, "model", render::one_line(attempt.model));
  add_line(out, "did",
           fmt::format("{}, {} ({} failed), {} by pi itself", render::plural(attempt.turns, "turn"),
                       render::plural(attempt.tool_calls, "tool call"), attempt.tool_errors,
                       render::plural(attempt.provider_retries, "retry", "retries")));
  add_line(out, "tokens", tokens_of(attempt.usage.get(), over(attempt)));
  add_line(out, "cost", cost_of(attempt.usage.get(), over(attempt)));
  add_line(out, "error", render::one_line(attempt.last_error));
  if (attempt.leftovers > 0) {
    add_line(
        out, "left behind",
        fmt::format("{} killed{}", render::plural(attempt.leftovers, "process", "processes"),
                    attempt.survivors > 0 ? fmt::format(", {} survived", attempt.survivors) : ""));
  }
  add_line(out, "output",
           fmt::format("stdout {}, stderr {}", render::bytes_text(attempt.stdout_bytes),
                       render::bytes_text(attempt.stderr_bytes)));
  add_line(out, "said", render::one_line(attempt.final_excerpt));
  add_line(out, "events", fmt::format("#{} - #{}", attempt.first_revision, attempt.last_revision));
  return out;
}

std::string job_report(const RunState& run, const JobState& job, const ReportStyle& style) {
  const Cell status = status_cell(job);
  std::string out = fmt::format("{}  {}  {}\n", render::one_line(job.id),
                                render::styled(style.terminal, status.style, status.text),
                                job.name == job.id ? "" : render::one_line(job.name));
  add_line(out, "why", job_why(job));
  add_line(out, "model", render::one_line(job.model));
  if (job.declared != nullptr) add_line(out, "directory", render::one_line(job.declared->cwd));
  for (const auto& dependency : job.depends_on) {
    const JobState* other = find_job(run, dependency->job);
    add_line(out, "after",
             other == nullptr ? "a job that does not exist" : render::one_line(other->id));
  }
  add_line(out, "tokens", tokens_of(job.usage.get(), over(job)));
  add_line(out, "cost", cost_of(job.usage.get(), over(job)));
  for (const auto& gate : run.gates) {
    if (gate->job != job.number) continue;
    out += fmt::format("gate {}  {}  (attempt {}, #{})\n", render::one_line(gate->name),
                       schema::EnumNameGateDecision(gate->decision), gate->attempt,
                       gate->decided_revision);
    for (const auto& check : gate->checks) {
      const bool passed = check->status == schema::CheckStatus::passed;
      out += fmt::format("  {} {} {}: wanted {}, saw {}\n",
                         render::styled(style.terminal, passed ? Style::good : Style::bad,
                                        passed ? "met    " : "NOT MET"),
                         render::one_line(check->kind), render::one_line(check->target),
                         render::one_line(check->expected), render::one_line(check->actual));
    }
  }
  for (const auto& attempt : job.attempts) out += attempt_report(*attempt, style);
  add_line(out, "see also",
           fmt::format("pievt cat {0}/{1}   pievt output {0}/{1}   pievt log {0} --job {1}",
                       run.run_id, job.id));
  return out;
}

std::vector<std::string> live_lines(const RunState& run, const ReportStyle& style) {
  std::vector<std::string> lines;
  const std::string text = run_headline(run, style) + "\n" + trimmed(job_table(run, style));
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

Status write_run_document(const Context& context, const RunState& run) {
  const std::string state =
      PIEVT_TRY(reflect::to_json(reflect::Schema::embedded_run_state(), to_bytes(run)));
  auto json = context.json();
  json.begin_document("pievt.run", 1);
  json.key("run").raw(state);
  json.end_object().end_document();
  return {};
}

}  // namespace pievt::tools
