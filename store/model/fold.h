// The fold: what each event makes true of its run. One overload an event; events without one change
// nothing but the revision. Cheap on purpose (a few stores an event): a million events are folded
// while somebody waits.
#pragma once

#include <memory>
#include <string>

#include "pievt/run_state.h"

namespace pievt {

/// One event on its way into the state, with the job, attempt and gate it is about (null where
/// there is none).
struct Fold {
  Fold(RunState& into, const EventView& what);

  // run_apply.cc
  void operator()(const schema::RunPlanned&);
  void operator()(const schema::RunStarted&);
  void operator()(const schema::RunStopRequested&);
  void operator()(const schema::RunPaused&);
  void operator()(const schema::RunResumed&);
  void operator()(const schema::RunRecovered&);
  void operator()(const schema::RunFinished&);
  void operator()(const schema::HookRequested&);
  void operator()(const schema::ThrottleChanged&);
  void operator()(const schema::AdmissionDeferred&);
  void operator()(const schema::AdmissionGranted&);
  void operator()(const schema::LimitReached&);
  // job_apply.cc
  void operator()(const schema::JobDeclared&);
  void operator()(const schema::JobRetryScheduled&);
  void operator()(const schema::JobJudged&);
  void operator()(const schema::JobFinished&);
  void operator()(const schema::JobReopened&);
  void operator()(const schema::JobCancelRequested&);
  void operator()(const schema::JobRevised&);
  // attempt_apply.cc
  void operator()(const schema::AttemptLaunchRequested&);
  void operator()(const schema::AttemptLaunched&);
  void operator()(const schema::AttemptLaunchFailed&);
  void operator()(const schema::AttemptStopRequested&);
  void operator()(const schema::AttemptExited&);
  void operator()(const schema::AttemptLeftoversFound&);
  void operator()(const schema::AttemptSwept&);
  void operator()(const schema::AttemptAdopted&);
  void operator()(const schema::AttemptLost&);
  void operator()(const schema::AttemptClassified&);
  // observation_apply.cc
  void operator()(const schema::SessionStarted&);
  void operator()(const schema::TurnEnded&);
  void operator()(const schema::ToolCallStarted&);
  void operator()(const schema::ToolCallFinished&);
  void operator()(const schema::UsageRecorded&);
  void operator()(const schema::FinalMessageObserved&);
  void operator()(const schema::ProviderRetryStarted&);
  void operator()(const schema::OutputCaptured&);
  void operator()(const schema::OutputAnomalyObserved&);
  void operator()(const schema::ProgressReported&);
  void operator()(const schema::ReportSubmitted&);
  void operator()(const schema::SilenceObserved&);
  void operator()(const schema::SecretFound&);
  // workspace_apply.cc
  void operator()(const schema::WorktreeReady&);
  void operator()(const schema::WorktreeRemoved&);
  void operator()(const schema::WritesObserved&);
  // gate_apply.cc
  void operator()(const schema::GateOpened&);
  void operator()(const schema::GateDecided&);
  void operator()(const schema::ArtifactRecorded&);

  RunState& run;
  const EventView& event;
  JobState* job = nullptr;
  AttemptState* attempt = nullptr;
  GateState* gate = nullptr;

 private:
  void end_process();
};

/// Fields of an event as the state keeps them: absent text is empty, absent tables are null.
inline std::string str(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : text->str();
}

inline std::unique_ptr<schema::BlobRef> ref(const schema::BlobRef* blob) {
  return blob == nullptr ? nullptr : std::make_unique<schema::BlobRef>(*blob);
}

template <class Table>
std::unique_ptr<typename Table::NativeTableType> native(const Table* table) {
  if (table == nullptr) return nullptr;
  auto value = std::make_unique<typename Table::NativeTableType>();
  table->UnPackTo(value.get());
  return value;
}

}  // namespace pievt
