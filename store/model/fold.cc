// One event into the state: who it is about, then what it says.
#include "store/model/fold.h"

namespace pievt {

Fold::Fold(RunState& into, const EventView& what) : run(into), event(what) {
  const schema::Head& head = event.head();
  if (head.job() != 0 && head.job() <= run.jobs.size()) job = run.jobs[head.job() - 1].get();
  auto* attempts = head.job() == 0 ? &run.attempts : job != nullptr ? &job->attempts : nullptr;
  if (attempts != nullptr && head.attempt() != 0 && head.attempt() <= attempts->size()) {
    attempt = (*attempts)[head.attempt() - 1].get();
    attempt->last_revision = event.revision().value;
  }
  if (head.gate() != 0 && head.gate() <= run.gates.size()) gate = run.gates[head.gate() - 1].get();
}

void apply(RunState& run, const EventView& event) {
  run.revision = event.revision().value;
  run.updated_ns = event.time_ns();
  if (!visit(event, Fold(run, event))) ++run.unknown_events;
}

}  // namespace pievt
