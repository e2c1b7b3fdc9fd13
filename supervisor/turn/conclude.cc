#include "supervisor/turn/conclude.h"

#include "pievt/ruleset.h"
#include "supervisor/planners/batch.h"
#include "supervisor/planners/budget.h"
#include "supervisor/planners/throttle.h"

namespace pievt::supervisor {

Status decide_gate(RunRecord& record, Subject subject, schema::GateKind kind,
                   schema::GateDecidedT decided) {
  subject.gate = static_cast<std::uint32_t>(record.state().gates.size() + 1);
  schema::GateOpenedT opened;
  opened.kind = kind;
  opened.name = schema::EnumNameGateKind(kind);
  const Revision question = PIEVT_TRY(record.propose({std::move(opened), subject}));
  decided.ruleset = current_ruleset().name;
  PIEVT_TRY(
      record.propose({std::move(decided), subject, {.causation = question, .correlation = {}}}));
  return {};
}

Status conclude(RunRecord& record, Subject subject, schema::AttemptClassifiedT classified,
                std::optional<schema::GateDecidedT> gate) {
  PIEVT_TRY(record.propose({std::move(classified), subject}));
  if (gate) {
    PIEVT_TRY(decide_gate(record, subject, schema::GateKind::acceptance, std::move(*gate)));
  }
  bool refused = false;
  for (NewEvent& event : planners::after_attempt(record.state(), subject.job, record.wall_ns())) {
    if (const auto* judged = event.payload.as<schema::JobJudgedT>())
      refused = judged->retry == schema::RetryDecision::no_budget;
    PIEVT_TRY(record.propose(std::move(event)));
  }
  if (refused) {
    if (auto spent = planners::retries_spent(record.state(), subject.job))
      PIEVT_TRY(record.propose(std::move(*spent)));
  }
  if (auto change = planners::throttle_step(record.state(), record.marks()))
    PIEVT_TRY(record.propose(std::move(*change)));
  return {};
}

}  // namespace pievt::supervisor
