// The upkeep of a store: copies of it, what can be saved of a damaged one, what may go, what is
// wrong.
//
//   backup    a copy that is a store itself, made beside a living writer, added to later
//   restore   a store from a backup
//   salvage   what can be saved of a damaged store, into a new one
//   rebuild   everything that follows from the events, made again
//   gc        what nobody refers to any more, and what sealed runs no longer need in the store
//   diagnose  findings, each with what to do next
//
// All of them leave a usable state behind at every moment at which they may be cut off, and can
// simply be called again. Those that take a `Preview` write nothing and delete nothing when asked
// for one, and report what they would have done.
//
// Failure: not_found (no store there), busy (somebody has it), conflict (two histories that are not
// one), invalid (a place that is no place for it), corrupt (the source is damaged), no_space, io.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pievt/ids.h"
#include "pievt/log.h"
#include "pievt/result.h"
#include "pievt/verify.h"

namespace pievt {

enum class Preview : std::uint8_t { no, yes };

/// Called now and then with how many of how many events have been dealt with.
using UpkeepProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// A text or a chunk of output that an event refers to and that could not be copied as it should
/// be.
struct BodyProblem {
  Sequence sequence;
  Severity severity = Severity::missing;
  std::string what;
  std::string stream{};  ///< the event's; empty where it has none
  Revision revision{};
};

/// How many problems a report lists; more are only counted.
inline constexpr std::size_t body_problems_listed_max = 100;

struct CopyReport {
  Sequence before;  ///< what the copy had already
  Sequence head;    ///< what it has now
  std::uint64_t pages = 0;
  std::uint64_t events = 0;
  std::uint64_t page_bytes = 0;
  std::uint64_t bodies = 0;  ///< texts and chunks of output copied
  std::uint64_t body_bytes = 0;
  std::uint64_t bodies_missing = 0;
  std::uint64_t bodies_damaged = 0;
  /// Of runs that were sealed with removal: not there, and not missed.
  std::uint64_t bodies_removed = 0;
  std::vector<BodyProblem> problems;
  std::string chain;  ///< the chain's value after `head`, in hexadecimal
};

struct CopyOptions {
  Preview preview = Preview::no;
  UpkeepProgress progress{};
};

/// Copies everything that `from` has committed and the backup in `to` does not have yet. `to` is
/// made where it is not there; it is a store with a marker, which can be read like any store.
///
/// The copy is, at every moment, a prefix of the log with all that its events refer to: pages byte
/// for byte, each checked by its checksum and against the chain of what is there. A text that is
/// missing or damaged in `from` is reported, and does not end the backup; nor does the loss of the
/// key that texts are compared with, which an earlier backup in `to` may still have. What the store
/// forgets later (gc, redaction), the backup keeps. How far the log went is noted before anything
/// is copied, so one that was cut off knows it: verify() and restore() say so.
///
/// invalid: `to` is something else than a backup, or lies in the store. conflict: a backup of
/// another store, or of another history of this one. busy: another backup is being made there.
Result<CopyReport> backup(const Log& from, const std::filesystem::path& to,
                          const CopyOptions& options = {});

enum class Verification : std::uint8_t { no, yes };

struct RestoreOptions {
  Preview preview = Preview::no;
  /// Whether the copy is verified before it appears under its name.
  Verification verification = Verification::no;
  UpkeepProgress progress{};
  UpkeepProgress verify_progress{};
};

struct RestoreReport {
  CopyReport copy;
  std::optional<VerifyReport> verified;
  /// False for a preview, and where the copy turned out to be damaged; it then lies in `stage`.
  bool restored = false;
  std::filesystem::path stage;
  /// Where the backup should have ended: it was cut off, and what is here ends before that.
  std::optional<Sequence> unfinished;
};

/// Makes a store in `to` from the backup (or any store) in `from`. It has the same id, so the ids
/// of its events mean the same, and an append that was in it is known as such; saved states, which
/// a backup has none of, are made anew. `to` must not be there, or be an empty directory; it
/// appears when it is whole, and what was cut off before lies beside it in `<to>.restoring` and is
/// gone on with. busy: somebody else restores to there.
Result<RestoreReport> restore(const std::filesystem::path& from, const std::filesystem::path& to,
                              const RestoreOptions& options = {});

/// Events that are gone for good.
struct LostEvents {
  Sequence first, last;
};

/// The part of one stream that is among them.
struct LostRevisions {
  std::string stream;  ///< `lost/<number>` where even its name is gone
  Revision first, last;
};

struct SalvageReport {
  std::string store_id;
  CopyReport copy;  ///< what was saved
  std::vector<LostEvents> lost;
  std::uint64_t events_lost = 0;
  std::vector<LostRevisions> streams;
  /// Appends whose retry will be refused (id_reused), because parts of them are lost.
  std::uint64_t unrepeatable = 0;
  std::vector<std::string> damage;  ///< what could not be read as it should be, a sentence each
};

/// Saves every intact event of the store in `from` into a new store in `to`, with all that is left
/// of what they refer to. Nothing of `from` is written, whatever its state.
///
/// Pages are saved byte for byte and keep their sequences, revisions and ids; where events are
/// lost, a page that says so takes their place, so that the rest can be read and `verify` names
/// them. An undamaged store comes out as it is. What was lost, texts too, is written into the file
/// SALVAGED of the new store. busy: a living process writes to `from`, or somebody else salvages to
/// `to`. corrupt: not even the store's id is left. `to` as in restore(); what lies in
/// `<to>.salvaging` is made anew.
Result<SalvageReport> salvage(const std::filesystem::path& from, const std::filesystem::path& to,
                              const CopyOptions& options = {});

struct RebuildReport {
  CopyReport copy;
  std::uint64_t unrepeatable = 0;
  std::vector<std::string> damage;  ///< what had been wrong with the files
  VerifyReport verified;            ///< of the log that was made
  /// False for a preview, and where verifying found damage; then the old log stays in place.
  bool replaced = false;
};

/// Makes everything that follows from the events anew: indexes of streams and appends, saved states
/// and HEAD. The new log is made beside the old one, verified, and takes its place at once; needs
/// the writer's role and as much room again. A preview needs the room and no role: it looks beside
/// whoever writes.
///
/// corrupt: events themselves are lost, or texts are damaged, which is salvage's work: the old log
/// is evidence, and nothing was changed. Of texts that are missing where the log was damaged, the
/// file SALVAGED tells afterwards. too_new: nothing was touched. busy: a living process writes to
/// the store, or supervises one of its runs. invalid: `log` is a symbolic link, which would have
/// been replaced and not the log.
Result<RebuildReport> rebuild(const std::filesystem::path& store, const CopyOptions& options = {});

/// What was found damaged when `log` was opened and how that was met, a sentence for people; mostly
/// empty. Of a writer: its indexes were damaged or gone, and have been made anew by rebuild()
/// before it began. Of a reader: they are not believed, and it finds its answers in the pages.
std::string mended(const Log& log);

struct GcOptions {
  Preview preview = Preview::no;
  UpkeepProgress progress{};
  /// Removes the live files of an attempt (the job's id is empty for those that serve the run
  /// itself) and returns how many bytes they took; 0 where there were none. With a preview it only
  /// looks. Without a function the files of attempts stay.
  std::function<Result<std::uint64_t>(const std::string& run, const std::string& job,
                                      std::uint32_t attempt, Preview preview)>
      remove_attempt{};
  /// Of what may go, only that which goes because this run was sealed and its texts and output are
  /// to be removed (record_sealed(), Original::goes). With a preview: as if it had been recorded
  /// now. Empty: everything that may go.
  std::string only_run{};
};

struct GcReport {
  std::uint64_t texts = 0;          ///< that no event refers to
  std::uint64_t chunks = 0;         ///< of texts that were never finished, or are gone
  std::uint64_t output_chunks = 0;  ///< of captured output that no event tells of
  /// Of runs that were sealed with removal. Not among `texts` and `output_chunks`.
  std::uint64_t sealed_texts = 0;
  std::uint64_t sealed_output_chunks = 0;
  std::uint64_t bytes = 0;  ///< of all of these
  /// Texts of such runs that stay, because an event that is in no such file refers to them too.
  std::uint64_t shared_texts = 0;
  std::uint64_t kept_for_runs = 0;  ///< chunks that a run that is not finished may yet refer to
  /// Texts and chunks that a process may yet refer to: it appended to this store, it is alive, and
  /// the writer it put them through is not.
  std::uint64_t kept_for_processes = 0;
  std::vector<std::string> processes;  ///< these: `412 (pievt run)`
  std::uint64_t attempts = 0;          ///< whose directories are gone
  std::uint64_t attempt_bytes = 0;
  /// Whose directories stay, because a living process supervises their runs: it removes them itself
  /// when it is done with them.
  std::uint64_t kept_attempts = 0;
  std::vector<std::string> supervised;  ///< these runs
};

/// Removes texts and output that no event refers to, and the files of attempts that have been
/// judged. Takes the writer's role for as long as it works, so a store to which somebody writes is
/// busy and is not touched; what was put by a writer before was put in a period that is over. While
/// another process lives that has ever appended, it may hold what it put and append the event that
/// refers to it next: nothing but the files of attempts is removed then, and those of a run that is
/// being supervised stay too.
///
/// References by events that lie in the file of a run that was sealed with removal do not count. So
/// a removal that was recorded and then cut off, or had to wait, is finished by the next call.
///
/// corrupt: not all events could be read; then nothing is removed.
Result<GcReport> collect_garbage(const std::filesystem::path& store, const GcOptions& options = {});

/// One thing that was looked at.
struct Diagnosis {
  enum class Kind : std::uint8_t { fine, finding };
  std::string topic;  ///< stable: "writer", "space"
  Kind kind = Kind::fine;
  std::string what;  ///< one sentence
  std::string next;  ///< of a finding: the command to run next, or what to do
};

struct FamilySpace {
  std::string family;
  std::uint64_t bytes = 0;  ///< in table files
};

struct DoctorReport {
  std::string store_id;  ///< empty where it cannot be told
  std::vector<Diagnosis> checks;
  std::vector<FamilySpace> space;
  std::uint64_t findings = 0;
};

/// Looks at everything around the log that can be wrong and is not the log's content (that is
/// verify's work): file system, locks, HEAD, versions, room, indexes, saved states, leftovers.
/// Writes nothing; a badly damaged store gives a report too. not_found: no store and no log there.
Result<DoctorReport> diagnose(const std::filesystem::path& store);

}  // namespace pievt
