// The upkeep of a store: copies of it, what can be saved of a damaged one, what may go, what is
// wrong.
//
//   backup    a copy that is a store itself, made beside a living writer, added to later
//   restore   a store from a backup
//   salvage   what can be saved of a damaged store, into a new one
//   rebuild   everything that follows from the events, made again
//   gc        what nobody refers to any more
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
/// missing or damaged in `from` is reported, and does not end the backup. What the store forgets
/// later (gc, redaction), the backup keeps.
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
};

/// Makes a store in `to` from the backup (or any store) in `from`. It has the same id, so the ids
/// of its events mean the same, and an append that was in it is known as such. `to` must not be
/// there, or be an empty directory; it appears when it is whole, and what was cut off before lies
/// beside it in `<to>.restoring` and is gone on with.
Result<RestoreReport> restore(const std::filesystem::path& from, const std::filesystem::path& to,
                              const RestoreOptions& options = {});

}  // namespace pievt
