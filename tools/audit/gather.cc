#include <algorithm>

#include "pievt/bytes.h"
#include "pievt/query.h"
#include "pievt/sealed.h"
#include "tools/audit/material.h"
#include "tools/audit/secret_places.h"
#include "tools/audit/tool_files.h"

namespace pievt::audit {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

template <class Table>
void keep(std::vector<Kept<typename Table::NativeTableType>>& into, const Table& table,
          const EventView& event) {
  auto& kept = into.emplace_back();
  table.UnPackTo(&kept.what);
  kept.revision = event.revision().value;
  kept.at_ns = event.time_ns();
  kept.job = event.head().job();
  kept.attempt = event.head().attempt();
}

// pi-jobs, pi-conductor and pi-crew keep the log of a batch in a file of this name.
void keep_source_log(Extras& extras, const ArtifactRecorded& artifact, const EventView& event) {
  if (event.head().job() != 0 || artifact.content() == nullptr ||
      text_of(artifact.path()) != "events.jsonl")
    return;
  SourceLog& log = extras.source_log.emplace();
  log.file = text_of(artifact.path());
  log.revision = event.revision().value;
  log.content = *artifact.content();
}

void keep_extras(Extras& extras, const EventView& event) {
  visit(event, overloaded{
                   [&](const SecretFound& e) { keep(extras.secrets, e, event); },
                   [&](const WritesObserved& e) { keep(extras.writes, e, event); },
                   [&](const ReportSubmitted& e) { keep(extras.reports, e, event); },
                   [&](const ReportRefused& e) { keep(extras.refused, e, event); },
                   [&](const ImportAnomalyFound& e) { keep(extras.anomalies, e, event); },
                   [&](const LimitReached& e) { keep(extras.limits, e, event); },
                   [&](const PatchApplied& e) { keep(extras.applied, e, event); },
                   [&](const HookFinished& e) { keep(extras.hooks, e, event); },
                   [&](const AttemptLeftoversFound& e) { keep(extras.leftovers, e, event); },
                   [&](const JobRetryScheduled& e) { keep(extras.retries, e, event); },
                   [&](const WorkspaceObserved&) { ++extras.trees_observed; },
                   [&](const StateDigestRecorded&) { ++extras.digests; },
                   [&](const RunSealed&) { extras.sealed_at = event.revision().value; },
                   [&](const RunPlanned& e) {
                     if (e.pievt_version() != nullptr)
                       extras.pievt_version = e.pievt_version()->str();
                   },
                   [&](const ArtifactRecorded& e) {
                     extras.sessions += e.kind() == ArtifactKind::session ? 1u : 0u;
                     extras.patches += e.kind() == ArtifactKind::patch ? 1u : 0u;
                     extras.files += e.kind() == ArtifactKind::file ? 1u : 0u;
                     keep_source_log(extras, e, event);
                   },
               });
}

/// The records of a source's log are counted up to this size.
constexpr std::uint64_t counted_max = 32u << 20;

struct Gatherer {
  Material material;
  StoryFold fold;

  void take(const EventView& event) {
    apply(material.run, event);
    fold.apply(event);
    keep_extras(material.extras, event);
  }
  Result<Material> finish(const ReadBlob& read, const WalkEvents& walk) && {
    material.story = std::move(fold).take();
    const ReadBlob counted = [&](const schema::BlobRef& ref) {
      auto content = read(ref);
      if (!content.ok() && content.error().code == Errc::not_found) ++material.texts_missing;
      return content;
    };
    FilesOfTools files = tool_files(counted, material.story);
    material.files = std::move(files.written);
    material.shell_files = std::move(files.shell);
    auto& log = material.extras.source_log;
    if (log && log->content.size() <= counted_max) log->records = lines_of(read(log->content));
    material.secret_places = PIEVT_TRY(secret_places(material.extras.secrets, walk, read));
    return std::move(material);
  }

 private:
  // The last line counts without its end, too: its writer died.
  static std::optional<std::uint64_t> lines_of(const Result<std::vector<std::byte>>& content) {
    if (!content.ok()) return std::nullopt;
    const std::string_view text = text_of(*content);
    const auto ends = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    return ends + (text.empty() || text.ends_with('\n') ? 0u : 1u);
  }
};

}  // namespace

const story::Attempt* find_attempt(const RunStory& story, std::uint32_t job,
                                   std::uint32_t attempt) {
  if (job == 0 || job > story.jobs.size()) return nullptr;
  for (const std::uint32_t place : story.jobs[job - 1].attempts) {
    if (story.attempts[place].number == attempt) return &story.attempts[place];
  }
  return nullptr;
}

Result<Material> gather(const Log& log, std::string_view run_id, Revision at) {
  Gatherer gatherer;
  auto reader = log.read_stream(run_stream(run_id), {1}, at);
  while (reader.next()) gatherer.take(reader.event());
  PIEVT_TRY(reader.status());
  if (gatherer.material.run.revision == 0) {
    return Error{Errc::not_found,
                 "no run " + std::string(run_id) + " in this store; see: pievt runs"};
  }
  gatherer.material.events_missing = log.info().missing;
  const RemovedRuns removed = PIEVT_TRY(removed_runs(log));
  if (const auto found = removed.find(run_id); found != removed.end())
    gatherer.material.removed = found->second.sentence(log.info().directory);
  const WalkEvents walk = [&](const EventSink& sink) -> Status {
    auto again = log.read_stream(run_stream(run_id), {1}, at);
    while (again.next()) PIEVT_TRY(sink(again.event()));
    return again.status();
  };
  return std::move(gatherer).finish([&](const BlobRef& ref) { return log.get_blob(ref); }, walk);
}

Result<Material> gather(const RunSource& source) {
  Gatherer gatherer;
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    gatherer.take(event);
    return {};
  }));
  return std::move(gatherer).finish([&](const BlobRef& ref) { return source.blob(ref); },
                                    [&](const EventSink& sink) { return source.events(sink); });
}

}  // namespace pievt::audit
