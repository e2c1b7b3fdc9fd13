// Is the record whole, and is it what was written? One pass over the whole log answers.
//
// What a clean answer means: every byte that any reader would believe has been read and checked
// against a checksum, every commit against the chain that begins at the first event, every index
// against the events it was made from, every body against its digest, and every saved state against
// the events it sums up. What it cannot mean: that nobody rewrote the whole store, chain and all.
// Only a chain value kept elsewhere tells that; the report carries it for the purpose.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "pievt/ids.h"
#include "pievt/log.h"
#include "pievt/result.h"

namespace pievt {

enum class Severity : std::uint8_t {
  missing = 1,  ///< a body is not there, or events that a salvage could not find: nothing to check
  damaged = 2,  ///< something is not what was written
};

/// One thing that is wrong, with where it is. Numbers are 0 and texts empty where they do not
/// apply.
struct Finding {
  std::string check;  ///< the name of the check that found it
  Severity severity = Severity::damaged;
  std::string what;  ///< one sentence
  Sequence page;     ///< the last sequence of the page, by which pages are known
  Sequence sequence;
  std::string stream;
  Revision revision;
};

/// One kind of question, and how often it was asked.
struct VerifyCheck {
  std::string name;      ///< stable: "pages", "chain"
  std::string question;  ///< for people
  std::uint64_t examined = 0;
  std::uint64_t findings = 0;
};

enum class Verdict : std::uint8_t {
  whole = 0,       ///< everything was there and right
  incomplete = 1,  ///< nothing is wrong, but bodies or lost events are missing
  damaged = 2,     ///< something is wrong
};

/// What helps a damaged store, besides a backup.
enum class Remedy : std::uint8_t {
  none = 0,     ///< nothing is damaged
  rebuild = 1,  ///< only what can be made of the events: rebuild() does
  salvage = 2,  ///< events or texts themselves: salvage() saves the others
};

/// How many findings a report lists; more are only counted.
inline constexpr std::size_t findings_listed_max = 1000;

struct VerifyReport {
  Verdict verdict = Verdict::whole;
  Sequence head;  ///< the last event that was looked at
  std::string
      chain;  ///< the chain's value after it, in hexadecimal; empty where it cannot be known
  std::vector<VerifyCheck> checks;  ///< every check, in the order they are explained
  std::vector<Finding> findings;    ///< in the order of the log
  std::uint64_t findings_total = 0;
  Remedy remedy = Remedy::none;
};

struct VerifyOptions {
  /// Bodies, output and saved states only of the run with this id; empty: of everything. The log
  /// itself is always checked from its first event, since a chain has no middle to begin in.
  std::string run;
  /// Called now and then with how many of how many events have been read.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

/// Reads everything up to the log's head and reports what is wrong; also a badly damaged log gives
/// a report. Writes nothing; works beside a living writer. An error says that it could not be
/// looked at (io), not that something is wrong with it.
Result<VerifyReport> verify(const Log& log, const VerifyOptions& options = {});

}  // namespace pievt
