// A sealed run is verified whole before anything of it is stored, and stored as any run that comes
// from elsewhere: run_storing.h.
#include "tools/importers/sealed.h"

#include <set>

#include <fmt/format.h>

#include "pievt/sealed.h"
#include "store/trust/sealed_schemas.h"
#include "tools/exporters/outputs.h"
#include "tools/importers/run_storing.h"

namespace pievt::tools {
namespace {

Status store_output(RunStoring& storing, const RunSource& source, const RunState& state) {
  for (const CapturedChannel& channel : PIEVT_TRY(captured_channels(source, state))) {
    std::size_t chunk = 0;
    Status stored;
    const auto take = [&](std::span<const std::byte> bytes) -> Status {
      if (chunk >= channel.chunks.size()) return Error{Errc::corrupt, "too many chunks of output"};
      const CapturedChunk& is = channel.chunks[chunk++];
      stored = storing.output({channel.key.job, channel.key.attempt, is.number, channel.key.channel,
                               is.offset, is.restart, bytes});
      return stored;
    };
    const auto read = source.output(channel.key, *channel.attempt_in(state), take);
    PIEVT_TRY(stored);
    // What the source does not have is missing here too.
    if (!read.ok() && chunk == channel.chunks.size()) return read.error();
  }
  return {};
}

OriginalStamp stamp_of(const EventView& event) {
  return {event.stamp->wall_ns(), event.stamp->monotonic_ns(), event.stamp->actor(),
          event.head().occurred_ns() == 0 ? OriginalStamp::Told::by_stamp
                                          : OriginalStamp::Told::by_author};
}

}  // namespace

Result<ImportedRun> store_run(
    Log& log, const RunSource& source, Unknown unknown, const Provenance& from,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  OriginalStamps stamps{{1}, {}, {}};
  RunState state;
  std::set<std::uint32_t> actors;
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    if (!event.known() && unknown == Unknown::refused)
      return Error{Errc::too_new, fmt::format("event #{} is of a type of a later version; unseal "
                                              "it with that",
                                              event.revision().value)};
    stamps.stamps.push_back(stamp_of(event));
    if (actors.insert(event.stamp->actor()).second)
      stamps.actors.push_back(PIEVT_TRY(source.actor(event.stamp->actor())));
    apply(state, event);
    return {};
  }));
  RunStoring storing(log, source.run_id(), unknown);
  PIEVT_TRY(storing.begin());
  const bool was_removed = PIEVT_TRY(removed_runs(log)).contains(source.run_id());
  if (was_removed) storing.restore_output();
  PIEVT_TRY(storing.stamps(stamps, from));
  PIEVT_TRY(store_output(storing, source, state));
  sealed::SourceSchemas schemas(source);
  std::set<std::string> texts;
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    for (const FoundBlob& found : PIEVT_TRY(schemas.texts(event))) {
      const schema::Digest& digest = found.ref.digest();
      if (!texts.emplace(reinterpret_cast<const char*>(&digest), sizeof(digest)).second) continue;
      const auto content = source.blob(found.ref);
      if (content.ok()) {
        PIEVT_TRY(storing.text(digest, *content, found.ref.kind()));
      } else if (content.error().code != Errc::not_found) {
        return content.error();
      }
    }
    const std::uint64_t hash = PIEVT_TRY(source.schema_hash(event));
    const reflect::Schema* schema = PIEVT_TRY(schemas.schema(hash));
    const std::uint64_t revision = event.revision().value;
    if (progress && revision % 1000 == 0) progress(revision, source.head().value);
    return storing.event(event, *schema);
  }));
  PIEVT_TRY(storing.finish());
  ImportedRun run = imported_run(source.run_id(), state);
  run.records = stamps.stamps.size();
  run.bytes = from.bytes;
  run.events = storing.appended();
  run.outcome = storing.outcome();
  if (was_removed && run.outcome == RunImport::unchanged) run.outcome = RunImport::restored;
  return run;
}

namespace sealed_file {

bool recognises(const std::filesystem::path& path) {
  return is_sealed(path);
}

Result<ImportReport> read(Log* log, const std::filesystem::path& path,
                          const ImportOptions& options) {
  const VerifyReport verified = PIEVT_TRY(verify_sealed(path));
  if (verified.verdict == Verdict::damaged)
    return Error{Errc::corrupt, fmt::format("{}: {}; nothing was stored", path.string(),
                                            verified.findings.front().what)};
  const auto source = PIEVT_TRY(open_sealed(path));
  ImportReport report;
  report.source_kind = "pievt";
  if (log == nullptr) {
    const RunState state = PIEVT_TRY(source->state());
    ImportedRun& run = report.runs.emplace_back(imported_run(source->run_id(), state));
    run.records = run.events = source->head().value;
    run.bytes = source->facts().file_bytes;
    return report;
  }
  const Provenance from{path.string(), options.pievt_version, source->facts().file_bytes};
  const bool was_removed = PIEVT_TRY(removed_runs(*log)).contains(source->run_id());
  report.runs.push_back(
      PIEVT_TRY(store_run(*log, *source, Unknown::refused, from, options.progress)));
  // Only now, so that where this is cut off they still count as removed, and gc takes what came
  // back.
  if (was_removed) {
    const auto digest = PIEVT_TRY(sha256_of_file(path));
    PIEVT_TRY(record_sealed(*log, {source->facts(), digest}, path));
  }
  return report;
}

}  // namespace sealed_file
}  // namespace pievt::tools
