#include "tools/verbs/run_status.h"

#include <variant>

#include "supervisor/process/process.h"

namespace pievt::tools {
namespace {

using render::Style;
using state::RunPhase;

RunStatus ending_status(schema::RunEnding ending) {
  switch (ending) {
    case schema::RunEnding::succeeded:
      return {"succeeded", Style::good};
    case schema::RunEnding::failed:
      return {"failed", Style::bad};
    case schema::RunEnding::stopped:
      return {"stopped", Style::warn};
    case schema::RunEnding::unknown:
      break;
  }
  return {"finished", Style::plain};
}

// A supervisor lives or not, whoever writes to the store: it may have nothing to append, or do it
// by way of another. Where its number means nothing here (another PID namespace), somebody who
// writes is taken for it.
bool supervised(const schema::ProcessIdT* supervisor, const LogInfo& info) {
  if (supervisor == nullptr) return info.writer_alive;  // about to be taken up
  if (supervisor->pid == 0) return false;  // imported: whoever ran it was not one of ours
  const auto found = process::reopen({.pid = static_cast<pid_t>(supervisor->pid),
                                      .start_ticks = supervisor->start_ticks,
                                      .boot_id = supervisor->boot_id,
                                      .pid_namespace = supervisor->pid_namespace});
  if (!found.ok()) return info.writer_alive;
  const auto* running = std::get_if<process::Process>(&*found);
  return running != nullptr && !running->has_ended();
}

}  // namespace

RunStatus past_run_status(RunPhase phase, schema::RunEnding ending) {
  switch (phase) {
    case RunPhase::planned:
      return {"planned", Style::plain};
    case RunPhase::running:
      return {"running", Style::bold};
    case RunPhase::paused:
      return {"paused", Style::warn};
    case RunPhase::stopping:
      return {"stopping", Style::warn};
    case RunPhase::finished:
      return ending_status(ending);
    case RunPhase::unknown:
      break;
  }
  return {"unknown", Style::dim};
}

RunStatus run_status(RunPhase phase, schema::RunEnding ending, const schema::ProcessIdT* supervisor,
                     const LogInfo& info) {
  if (phase != RunPhase::finished && !supervised(supervisor, info)) {
    return {"interrupted", Style::bad};
  }
  return past_run_status(phase, ending);
}

}  // namespace pievt::tools
