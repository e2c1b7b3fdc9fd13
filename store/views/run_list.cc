#include "store/views/run_list.h"

#include <fmt/format.h>

#include "pievt/schema/run_list_bfbs_generated.h"
#include "store/model/saturated.h"
#include "store/views/identity.h"

namespace pievt {
namespace {

constexpr int list_version = 2;

using state::RunPhase;

struct Fold {
  RunSummary& run;
  const EventView& event;

  void operator()(const schema::RunStarted& e) const {
    run.phase = RunPhase::running;
    run.started_ns = event.time_ns();
    take_supervisor(e.supervisor());
  }
  void operator()(const schema::RunRecovered& e) const { take_supervisor(e.supervisor()); }
  void operator()(const schema::RunPaused&) const { run.phase = RunPhase::paused; }
  void operator()(const schema::RunStopRequested&) const { run.phase = RunPhase::stopping; }
  void operator()(const schema::RunResumed&) const {
    run.phase = RunPhase::running;
    run.ending = schema::RunEnding::unknown;
    run.finished_ns = 0;
  }
  void operator()(const schema::RunFinished& e) const {
    run.phase = RunPhase::finished;
    run.ending = e.ending();
    run.finished_ns = event.time_ns();
  }
  void operator()(const schema::JobDeclared&) const { ++run.jobs; }
  void operator()(const schema::JobFinished& e) const {
    ++(e.status() == schema::JobStatus::succeeded ? run.succeeded : run.failed);
  }
  // Only jobs that did not succeed are opened again.
  void operator()(const schema::JobReopened&) const {
    if (run.failed > 0) --run.failed;
  }
  void operator()(const schema::AttemptLaunchRequested&) const {
    if (event.head().job() != 0) ++run.attempts;
  }
  void operator()(const schema::UsageRecorded& e) const {
    ++run.usage->requests;
    if (e.usage() == nullptr || e.reported() != schema::Reported::reported) {
      ++run.usage->unreported;
      return;
    }
    run.usage->total_tokens += e.usage()->total_tokens();
    run.usage->input_tokens += e.usage()->input_tokens();
    run.usage->output_tokens += e.usage()->output_tokens();
    run.usage->cost_nanodollars =
        saturated_sum(run.usage->cost_nanodollars, e.usage()->cost_nanodollars());
  }

  void take_supervisor(const schema::ProcessId* process) const {
    if (process == nullptr) return;
    run.supervisor = std::make_unique<schema::ProcessIdT>();
    process->UnPackTo(run.supervisor.get());
  }
};

}  // namespace

std::string RunListView::identity() const {
  static const std::string identity =
      view_identity("runs", list_version,
                    {state::RunListBinarySchema::data(), state::RunListBinarySchema::size()});
  return identity;
}

RunSummary* RunListView::find(std::uint32_t stream) {
  if (stream != last_stream_) {
    const auto found = by_stream_.find(stream);
    last_stream_ = stream;
    last_ = found == by_stream_.end() ? nullptr : list_.runs[found->second].get();
  }
  return last_;
}

void RunListView::apply(const EventView& event) {
  list_.sequence = event.sequence.value;
  const std::uint32_t stream = event.stamp->stream();
  if (event.type() == schema::Payload::RunPlanned && !by_stream_.contains(stream)) {
    const auto& planned = *event.envelope->payload_as_RunPlanned();
    auto run = std::make_unique<RunSummary>();
    run->run_id = planned.run_id()->str();
    run->stream = stream;
    run->name = planned.name() == nullptr ? "" : planned.name()->str();
    run->kind = planned.kind();
    run->phase = RunPhase::planned;
    run->planned_ns = event.time_ns();
    run->plan_path = planned.plan_path() == nullptr ? "" : planned.plan_path()->str();
    run->usage = std::make_unique<state::UsageTotalsT>();
    by_stream_.emplace(stream, list_.runs.size());
    list_.runs.push_back(std::move(run));
    last_stream_ = 0;
    last_ = nullptr;
  }
  RunSummary* run = find(stream);
  if (run == nullptr) return;
  run->revision = event.revision().value;
  run->updated_ns = event.time_ns();
  visit(event, Fold{*run, event});
}

std::vector<std::byte> RunListView::save() const {
  flatbuffers::FlatBufferBuilder builder(16 << 10);
  builder.Finish(state::CreateRunList(builder, &list_), state::RunListIdentifier());
  const auto* bytes = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return {bytes, bytes + builder.GetSize()};
}

Status RunListView::load(std::span<const std::byte> saved) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(saved.data()), saved.size(),
                                 64, 100'000'000);
  if (!state::VerifyRunListBuffer(verifier))
    return Error{Errc::corrupt, "the saved list of runs is damaged"};
  list_ = RunList();
  state::GetRunList(saved.data())->UnPackTo(&list_);
  by_stream_.clear();
  for (std::size_t i = 0; i < list_.runs.size(); ++i) {
    RunSummary& run = *list_.runs[i];
    if (run.usage == nullptr) run.usage = std::make_unique<state::UsageTotalsT>();
    by_stream_.emplace(run.stream, i);
  }
  last_stream_ = 0;
  last_ = nullptr;
  return {};
}

}  // namespace pievt
