#include "pievt/run_state.h"

#include <algorithm>

#include "store/format/codec.h"

namespace pievt {

void apply_new(RunState& run, const NewEvent& event, Revision revision, std::uint64_t wall_ns,
               std::uint64_t monotonic_ns) {
  std::vector<std::byte> body;
  const std::size_t size = format::BodyEncoder().append(event, body);
  const schema::Stamp stamp(0, 0, revision.value, wall_ns, monotonic_ns,
                            static_cast<std::uint32_t>(size), 0);
  EventView view;
  view.stamp = &stamp;
  view.body = std::span(body).first(size);
  view.envelope = schema::GetEnvelope(body.data());
  apply(run, view);
}

const JobState* find_job(const RunState& run, std::uint32_t job) {
  return job == 0 || job > run.jobs.size() ? nullptr : run.jobs[job - 1].get();
}

const AttemptState* find_attempt(const RunState& run, std::uint32_t job, std::uint32_t attempt) {
  const JobState* of = find_job(run, job);
  if (job != 0 && of == nullptr) return nullptr;
  const auto& attempts = job == 0 ? run.attempts : of->attempts;
  return attempt == 0 || attempt > attempts.size() ? nullptr : attempts[attempt - 1].get();
}

const JobState* find_job(const RunState& run, std::string_view id) {
  const auto found =
      std::ranges::find_if(run.jobs, [id](const auto& job) { return job->id == id; });
  return found == run.jobs.end() ? nullptr : found->get();
}

std::vector<std::byte> to_bytes(const RunState& run) {
  flatbuffers::FlatBufferBuilder builder(64 << 10);
  builder.Finish(state::CreateRunState(builder, &run), state::RunStateIdentifier());
  const auto* bytes = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return {bytes, bytes + builder.GetSize()};
}

Result<RunState> run_state_from_bytes(std::span<const std::byte> bytes) {
  // A state of 10,000 jobs has more tables than the verifier allows by default.
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                 64, 100'000'000);
  if (!state::VerifyRunStateBuffer(verifier)) {
    return Error{Errc::corrupt, "a saved run state is damaged; it is derived and will be rebuilt"};
  }
  RunState run;
  state::GetRunState(bytes.data())->UnPackTo(&run);
  return run;
}

}  // namespace pievt
