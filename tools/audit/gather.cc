#include <algorithm>

#include "pievt/query.h"
#include "tools/audit/material.h"
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
                   },
               });
}

struct Gatherer {
  Material material;
  StoryFold fold;

  void take(const EventView& event) {
    apply(material.run, event);
    fold.apply(event);
    keep_extras(material.extras, event);
  }
  Material finish(const ReadBlob& read) && {
    material.story = std::move(fold).take();
    material.files = tool_files(read, material.story);
    return std::move(material);
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
  return std::move(gatherer).finish([&](const BlobRef& ref) { return log.get_blob(ref); });
}

Result<Material> gather(const RunSource& source) {
  Gatherer gatherer;
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    gatherer.take(event);
    return {};
  }));
  return std::move(gatherer).finish([&](const BlobRef& ref) { return source.blob(ref); });
}

}  // namespace pievt::audit
