// What a report is made of: the state of a run, its story, and what is in neither of them, read in
// one pass over its events. Only gathering touches the log; everything behind it is pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "pievt/run_source.h"
#include "pievt/run_state.h"
#include "pievt/run_story.h"

namespace pievt::audit {

/// A payload worth keeping whole, with where it stood.
template <class Event>
struct Kept {
  Event what;
  std::uint64_t revision = 0;
  std::uint64_t at_ns = 0;
  std::uint32_t job = 0;
  std::uint32_t attempt = 0;
};

/// A file that an attempt's tools wrote, as far as their arguments tell.
struct ToolFile {
  std::string path;
  std::optional<std::uint64_t> bytes;  ///< as it stood after the last call, where that is known
  /// Of how many of its bytes are one and the same; nothing where its text is not known.
  std::optional<std::uint64_t> repeated;
  std::uint32_t attempt = 0;
  std::vector<std::uint64_t> calls;          ///< revisions of the calls that worked
  std::vector<std::uint64_t> failed;         ///< and of those that did not
  std::optional<std::uint64_t> repaired_by;  ///< the call that worked after one that had not
};

/// A file that a shell command of an attempt names as where its output goes. Whether it was written
/// nobody saw.
struct ShellFile {
  std::string path;  ///< relative to the attempt's directory where it is not absolute
  std::uint32_t attempt = 0;
  std::uint64_t call = 0;  ///< revision of the call
};

/// Where the text of a secret stands.
struct SecretPlaces {
  struct Place {
    std::string where;  ///< "arguments of ToolCallStarted", "content of jobs/r6.json"
    std::uint64_t revision = 0;
    std::uint32_t job = 0, attempt = 0;
    std::uint64_t times = 0;
  };
  std::vector<Place> places;  ///< in the order of the events
  bool whole = false;         ///< every text of the run was looked through
};

/// The log of the system that a run was imported from.
struct SourceLog {
  std::string file;
  std::optional<std::uint64_t> records;  ///< its lines; nothing where they were not counted
  std::uint64_t revision = 0;            ///< of the event that holds it
  schema::BlobRef content;
};

struct Extras {
  std::vector<Kept<schema::SecretFoundT>> secrets;
  std::vector<Kept<schema::WritesObservedT>> writes;
  std::vector<Kept<schema::ReportSubmittedT>> reports;
  std::vector<Kept<schema::ReportRefusedT>> refused;
  std::vector<Kept<schema::ImportAnomalyFoundT>> anomalies;
  std::vector<Kept<schema::LimitReachedT>> limits;
  std::vector<Kept<schema::PatchAppliedT>> applied;
  std::vector<Kept<schema::HookFinishedT>> hooks;
  std::vector<Kept<schema::AttemptLeftoversFoundT>> leftovers;
  std::vector<Kept<schema::JobRetryScheduledT>> retries;
  std::uint64_t trees_observed = 0;  ///< WorkspaceObserved
  std::uint64_t digests = 0;         ///< StateDigestRecorded
  std::uint64_t sessions = 0;        ///< ArtifactRecorded of kind session
  std::uint64_t patches = 0;
  std::string pievt_version;
  std::uint64_t sealed_at = 0;
  std::uint64_t files = 0;  ///< ArtifactRecorded of other kinds
  std::optional<SourceLog> source_log;
};

struct Material {
  RunState run;
  RunStory story;
  Extras extras;
  /// By job.
  std::map<std::uint32_t, std::vector<ToolFile>> files;
  std::map<std::uint32_t, std::vector<ShellFile>> shell_files;
  /// As long as extras.secrets; empty lists where the text itself was not found.
  std::vector<SecretPlaces> secret_places;
  std::uint64_t events_missing = 0;  ///< of the whole store: acknowledged and not there
  std::uint64_t texts_missing = 0;   ///< that were asked for and are not there any more
  std::string removed;  ///< where its texts and output are, if they were taken out; a sentence
};

/// Reads the run up to its event `at` (0: all). not_found: no such run. Bodies that are not in the
/// store any more are left out.
Result<Material> gather(const Log& log, std::string_view run_id, Revision at = {});
/// The same of any source, without what only a store knows: `events_missing` is 0.
Result<Material> gather(const RunSource& source);

/// The attempt with that number, or null.
const story::Attempt* find_attempt(const RunStory& story, std::uint32_t job, std::uint32_t attempt);

}  // namespace pievt::audit
