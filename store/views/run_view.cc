#include "store/views/run_view.h"

#include <fmt/format.h>

#include "pievt/schema/run_state_bfbs_generated.h"
#include "store/views/identity.h"

namespace pievt {
namespace {

constexpr int code_version = 1;

Result<RunState> fold_on(RunState run, const Log& log, std::string_view run_id, Revision at) {
  auto reader = log.read_stream(run_stream(run_id), {run.revision + 1}, at);
  while (reader.next()) apply(run, reader.event());
  PIEVT_TRY(reader.status());
  return run;
}

}  // namespace

std::string run_stream(std::string_view run_id) {
  return fmt::format("run/{}", run_id);
}
std::string run_view_name(std::string_view run_id) {
  return fmt::format("run/{}", run_id);
}

std::string run_view_identity() {
  static const std::string identity =
      view_identity("run", code_version,
                    {state::RunStateBinarySchema::data(), state::RunStateBinarySchema::size()});
  return identity;
}

Result<RunState> fold_run(const Log& log, std::string_view run_id, Revision at) {
  RunState run = PIEVT_TRY(fold_on({}, log, run_id, at));
  if (run.revision == 0)
    return Error{Errc::not_found, fmt::format("no run {} in this store; see: pievt runs", run_id)};
  return run;
}

Result<RunState> load_run(const Log& log, std::string_view run_id, Revision at) {
  const auto saved = PIEVT_TRY(log.load_checkpoint(run_view_name(run_id)));
  // For a run the checkpoint's position is a revision of its own stream.
  if (saved && saved->identity == run_view_identity() &&
      (at.value == 0 || saved->at.value <= at.value)) {
    Result<RunState> run = run_state_from_bytes(saved->state);
    const Revision head = PIEVT_TRY(log.stream_head(run_stream(run_id)));
    if (run.ok() && run->revision == saved->at.value && saved->at.value <= head.value)
      return fold_on(std::move(*run), log, run_id, at);
  }
  return fold_run(log, run_id, at);
}

Result<Revision> revision_at(const Log& log, std::string_view run_id, Sequence at) {
  Revision found{};
  auto reader = log.read_stream(run_stream(run_id), {1});
  while (reader.next() && reader.event().sequence <= at) found = reader.event().revision();
  PIEVT_TRY(reader.status());
  return found;
}

Result<Revision> revision_at(const Log& log, std::string_view run_id, std::uint64_t wall_ns) {
  Revision found{};
  auto reader = log.read_stream(run_stream(run_id), {1});
  while (reader.next() && reader.event().time_ns() <= wall_ns) found = reader.event().revision();
  PIEVT_TRY(reader.status());
  return found;
}

}  // namespace pievt
