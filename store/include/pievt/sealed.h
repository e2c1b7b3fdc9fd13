// A run as one file: everything that its events, its texts and its output are, small, verifiable
// alone, and readable at any place without unpacking.
//
//   auto run = open_run(log, id);
//   auto report = seal(**run, "run.pievt", {.pievt_version = "0.1.0"});
//   auto sealed = open_sealed("run.pievt");     // a RunSource: exports and reports work on it
//
// A file holds everything it takes to read it: also the shape of events that the program that reads
// it has never heard of, and never a store's key. It is under SHA-256 down to the last byte, so
// what is read is what was written or an error; who wrote it, only a digest that was kept elsewhere
// can tell. docs/sealed_format.md describes the bytes.
//
// Not trusted: any bytes may be opened as a sealed run. What is wrong with them is an error and
// never more memory or time than a file of that size could honestly need.
//
// Failure: invalid (not a sealed run at all), corrupt (damaged, or cut off), too_new (a later
// format), not_found, io.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "pievt/run_source.h"
#include "pievt/verify.h"

namespace pievt {

/// What a sealed run says of itself. Digests are in hexadecimal.
struct SealedFacts {
  std::string run_id;
  std::string origin;         ///< where the run lay: "store 0192f0c1-..."
  std::string pievt_version;  ///< of the program that sealed it
  std::uint64_t events = 0;
  std::string events_sha256;  ///< as exports have it: the same run has the same
  std::uint64_t texts = 0;    ///< prompts, messages, arguments, results: each once
  std::uint64_t text_bytes = 0;
  std::uint64_t output_bytes = 0;
  std::uint64_t texts_missing = 0;   ///< redacted, or gone before it was sealed
  std::uint64_t chunks_missing = 0;  ///< of captured output
  std::uint64_t file_bytes = 0;
  std::uint64_t raw_bytes = 0;  ///< what is in it, before packing
  std::string manifest;         ///< the same as JSON, as it stands in the file
};

/// For one thread.
class SealedRun : public RunSource {
 public:
  virtual const SealedFacts& facts() const = 0;

  /// One event, found by its place: reads one frame of the file and nothing else of it. not_found:
  /// the run has no such event.
  virtual Status event(Revision revision, const EventSink& sink) const = 0;
};

/// Whether the file begins as sealed runs do. False also where it cannot be read.
bool is_sealed(const std::filesystem::path& file);

/// Opens it, up to the event `at` (0: all of it). What is read later is checked then.
Result<std::unique_ptr<SealedRun>> open_sealed(const std::filesystem::path& file, Revision at = {});

/// SHA-256 of the whole file, in hexadecimal: what `sha256sum` prints and RunSealed records.
Result<std::string> sha256_of_file(const std::filesystem::path& file);

/// Reads the whole file and reports what is wrong with it; also a damaged one gives a report, where
/// its directory can be read. The answer is `incomplete` where texts or output were missing already
/// when it was sealed.
Result<VerifyReport> verify_sealed(
    const std::filesystem::path& file,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

struct SealOptions {
  std::string pievt_version;
  /// What to do where a file of that name is there.
  enum class Existing : std::uint8_t {
    refuse,
    /// Take it as it is, where it is byte for byte what would be written: an earlier call wrote it
    /// and came to no more. Refuse any other.
    accept,
    replace,
  } existing = Existing::refuse;
  /// Called now and then with how much of how much has been packed and read back.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};
};

struct SealReport {
  SealedFacts facts;
  std::string sha256;  ///< of the file, in hexadecimal
};

/// invalid_transition: events may still come, so the run cannot be sealed. Of an imported run
/// without an end nobody will write one.
Status check_ended(const RunState& run);

/// Writes the run into `file`, reads it back whole and compares; the file takes its name only then.
/// When it returns, file and name are durable. Beside it lies meanwhile `<file>.<pid>.part`, of
/// which nothing is left when this fails; what a kill leaves, the next call for that file removes.
///
/// invalid: a file of that name is there. corrupt: the source is damaged, or what was read back is
/// not what was written. no_space. Texts and output that are not in the source are counted and
/// missing in the file too; damaged ones are an error.
Result<SealReport> seal(const RunSource& source, const std::filesystem::path& file,
                        const SealOptions& options);

/// What becomes of the texts and the output of a run that was sealed.
enum class Original : std::uint8_t {
  stays,
  /// They are to be removed: from now on the events that are in the file need them no more, and
  /// collect_garbage() takes what no other event refers to.
  goes,
};

/// Records in `log` that the run was sealed: in the stream `store`, an event RunSealed with the
/// file's name (relative to the store, where it lies in it) and digest. The last one of a run says
/// what holds: `stays` after `goes` tells that its texts and output are in the log again.
Status record_sealed(Log& log, const SealReport& report, const std::filesystem::path& file,
                     Original original = Original::stays);

/// A run whose texts and output were removed, or are about to be, after it was sealed.
struct RemovedRun {
  std::filesystem::path file;  ///< relative to the store where it lies in it
  std::string sha256;
  std::uint64_t bytes = 0;  ///< of the file
  /// So many events of the run are in the file. What later ones refer to is needed as ever.
  std::uint64_t events = 0;
  Sequence told;  ///< the event that says so

  /// Where the file was when that was said. `store`: the directory of the store.
  std::filesystem::path place(const std::filesystem::path& store) const {
    return file.is_absolute() ? file : store / file;
  }

  /// For people: `removed after it was sealed into FILE`, and whether the file is still there as
  /// far as its size tells.
  std::string sentence(const std::filesystem::path& store) const;
};

/// By the run's id.
using RemovedRuns = std::map<std::string, RemovedRun, std::less<>>;

/// The runs of which this holds now.
Result<RemovedRuns> removed_runs(const Log& log);

/// Where a run of the store in `store` is sealed to when nobody says otherwise:
/// `sealed/<run>.pievt` in it. The directory is made (0700) where it is not there.
Result<std::filesystem::path> sealed_place(const std::filesystem::path& store,
                                           std::string_view run_id);

}  // namespace pievt
