// What events say about gates and artifacts.
#include "store/model/fold.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

void Fold::operator()(const GateOpened& e) {
  if (event.head().gate() != run.gates.size() + 1) return;
  auto opened = std::make_unique<GateState>();
  opened->number = event.head().gate();
  opened->kind = e.kind();
  opened->name = str(e.name());
  opened->job = event.head().job();
  opened->attempt = event.head().attempt();
  opened->opened_revision = event.revision().value;
  run.gates.push_back(std::move(opened));
}

void Fold::operator()(const GateDecided& e) {
  if (gate == nullptr) return;
  gate->decision = e.decision();
  gate->reason = str(e.reason());
  gate->decided_revision = event.revision().value;
  gate->checks.clear();
  if (e.checks() == nullptr) return;
  for (const Check* seen : *e.checks()) gate->checks.push_back(native(seen));
}

void Fold::operator()(const ArtifactRecorded&) {
  ++run.artifacts;
}

}  // namespace pievt
