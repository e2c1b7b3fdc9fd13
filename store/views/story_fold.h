// The fold behind run_story.h: one overload an event, events without one only count. What a story
// needs to be told and does not keep (which tool calls are open, which job waits for which) is
// here.
#pragma once

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pievt/run_story.h"

namespace pievt {

struct StoryFold::Impl {
  void apply(const EventView& event);

  // story_of_run.cc
  void operator()(const schema::RunPlanned&);
  void operator()(const schema::RunStarted&);
  void operator()(const schema::RunRecovered&);
  void operator()(const schema::RunStopRequested&);
  void operator()(const schema::RunPaused&);
  void operator()(const schema::RunResumed&);
  void operator()(const schema::RunFinished&);
  void operator()(const schema::ThrottleChanged&);
  void operator()(const schema::AdmissionDeferred&);
  void operator()(const schema::AdmissionGranted&);
  void operator()(const schema::LimitReached&);
  void operator()(const schema::HookRequested&);
  void operator()(const schema::HookFinished&);
  void operator()(const schema::GateOpened&);
  void operator()(const schema::GateDecided&);
  void operator()(const schema::GateCommandRequested&);
  void operator()(const schema::GateCommandStarted&);
  void operator()(const schema::GateCommandEnded&);
  // story_of_job.cc
  void operator()(const schema::JobDeclared&);
  void operator()(const schema::JobRetryScheduled&);
  void operator()(const schema::JobJudged&);
  void operator()(const schema::JobFinished&);
  void operator()(const schema::JobReopened&);
  void operator()(const schema::JobCancelRequested&);
  // story_of_attempt.cc
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
  // story_of_observations.cc
  void operator()(const schema::SessionStarted&);
  void operator()(const schema::TurnEnded&);
  void operator()(const schema::AgentRunEnded&);
  void operator()(const schema::AgentSettled&);
  void operator()(const schema::ToolCallStarted&);
  void operator()(const schema::ToolCallFinished&);
  void operator()(const schema::UsageRecorded&);
  void operator()(const schema::FinalMessageObserved&);
  void operator()(const schema::ProviderRetryStarted&);
  void operator()(const schema::ProviderRetryEnded&);
  void operator()(const schema::CompactionStarted&);
  void operator()(const schema::CompactionEnded&);
  void operator()(const schema::SilenceObserved&);
  void operator()(const schema::OutputAnomalyObserved&);
  void operator()(const schema::ImportAnomalyFound&);
  void operator()(const schema::ProgressReported&);
  void operator()(const schema::ReportSubmitted&);
  void operator()(const schema::ReportRefused&);
  void operator()(const schema::SecretFound&);

  story::Run run;

 private:
  /// What is open in an attempt.
  struct Progress {
    story::Mark last;  ///< the last thing it was seen to do
    bool turn_open = false;
    bool agent_run_open = false;
    bool compacting = false;
    std::uint32_t tools_in_turn = 0;
    /// Calls of a turn whose end was told before them, as in imported sessions.
    std::uint32_t owed_tools = 0;
    std::uint32_t owed_by = 0;
    std::vector<std::uint32_t> open_tools;  ///< places in Attempt::tools
  };

  story::Text keep(const flatbuffers::String* text);
  story::Text keep_once(const flatbuffers::String* text);
  void note(std::string_view label, std::string_view text);
  story::Gate* gate();
  story::GateCommand* command(std::uint32_t number);

  bool wave_is_open(std::uint32_t wave) const;
  void begin_wait(std::uint32_t job);
  void end_wait(story::Job& job);
  void look_again(std::uint32_t job);
  void job_ended(std::uint32_t number, schema::JobStatus status);

  /// The attempt was seen to do something: its turn and agent run are open now.
  void seen();
  std::uint32_t open_turn();
  void open_agent_run();

  // Beside Run::attempts and Run::jobs.
  std::vector<Progress> progress_;
  std::vector<std::uint32_t> unmet_;
  std::unordered_map<std::uint32_t, std::vector<std::pair<std::uint32_t, schema::DependsWhen>>>
      dependents_;
  std::map<std::uint32_t, std::uint32_t> open_in_wave_;
  std::unordered_map<std::uint32_t, std::uint32_t> gates_;

  // The event that is being told.
  story::Mark now_;
  const schema::Head* head_ = nullptr;
  story::Job* job_ = nullptr;
  story::Attempt* attempt_ = nullptr;
  Progress* at_ = nullptr;
};

/// A blob the event names, or nothing.
inline std::optional<schema::BlobRef> blob(const schema::BlobRef* ref) {
  return ref == nullptr ? std::nullopt : std::optional(*ref);
}

}  // namespace pievt
