// One run to read from, wherever it lies: in a log, in a sealed file, or with its texts taken out.
// What exports, and every other reader that wants to work on all of these, asks for a RunSource and
// never for a Log.
//
// A source shows the run up to one moment and never more, however the run grows meanwhile. To write
// another one (of sealed files, say), implement: events of the run in order with their stamps,
// texts by reference, captured output by attempt and channel, the binary schema of each event, and
// who the numbers in stamps are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/blobs.h"
#include "pievt/log.h"
#include "pievt/output.h"
#include "pievt/run_state.h"

namespace pievt {

/// Who an actor's number in a stamp is.
struct Actor {
  std::uint32_t number = 0;
  std::uint32_t uid = 0;
  std::uint32_t pid = 0;
  std::string program;
  friend bool operator==(const Actor&, const Actor&) = default;
};

/// Given each event, which is good until it returns. Its error ends the walk and is returned.
using EventSink = std::function<Status(const EventView&)>;
using ByteSink = std::function<Status(std::span<const std::byte>)>;

/// For one thread. Must not outlive what it was made from.
class RunSource {
 public:
  RunSource() = default;
  RunSource(const RunSource&) = delete;
  RunSource& operator=(const RunSource&) = delete;
  virtual ~RunSource() = default;

  virtual const std::string& run_id() const = 0;
  /// Where it lies, for people: "store 0192f0c1-...".
  virtual const std::string& origin() const = 0;
  /// The last event that is shown.
  virtual Revision head() const = 0;

  /// Every event from the first to head(), in order. Can be walked any number of times.
  virtual Status events(const EventSink& sink) const = 0;

  /// not_found: never stored, redacted, or taken out. corrupt: not what was stored.
  virtual Result<std::vector<std::byte>> blob(const schema::BlobRef& ref) const = 0;
  /// As get_blobs(), of what blob() answers. A source that reads many faster than one by one
  /// overrides it.
  virtual void blobs(std::span<const schema::BlobRef> refs, const BlobSink& sink) const;
  /// Whether blobs() may be called by other threads, several at once, while one walks the events.
  virtual bool reads_blobs_beside() const { return false; }

  /// As read_output(). `attempt` tells where its events are.
  virtual Result<std::uint64_t> output(const OutputKey& key, const AttemptState& attempt,
                                       const ByteSink& sink) const = 0;

  /// Which binary schema the event was written with, by its short hash; 0: this program's own.
  /// Cheap enough to be asked of every event.
  virtual Result<std::uint64_t> schema_hash(const EventView& event) const = 0;
  /// The binary schema of that hash. not_found: it is not there.
  virtual Result<std::vector<std::byte>> schema(std::uint64_t short_hash) const = 0;

  /// Who the number in a stamp is. A number nobody declared is an Actor with nothing but it.
  virtual Result<Actor> actor(std::uint32_t number) const = 0;

  /// The state after head(), folded from the events of this source.
  Result<RunState> state() const;
};

/// A run of `log` up to its event `at` (0: its last at this moment). not_found: no such run.
///
/// Of a run that was imported from an export of another store, the stamps are those of that store
/// (see `import_stream`): who wrote it then and when, not who imported it.
Result<std::unique_ptr<RunSource>> open_run(const Log& log, std::string_view run_id,
                                            Revision at = {});

/// Where the import of a run from a JSON Lines export leaves what the run's own stream cannot hold:
/// the original stamps, as the content of an ArtifactRecorded named `stamps`.
std::string import_stream(std::string_view run_id);

/// The original stamp of one event, and whether its author had left the time to the stamp.
struct OriginalStamp {
  std::uint64_t wall_ns = 0;
  std::uint64_t monotonic_ns = 0;
  std::uint32_t actor = 0;
  enum class Told : std::uint32_t { by_author = 0, by_stamp = 1 } time = Told::by_author;
  friend bool operator==(const OriginalStamp&, const OriginalStamp&) = default;
};

/// The original stamps of consecutive events and who their numbers are.
struct OriginalStamps {
  Revision first;
  std::vector<Actor> actors;
  std::vector<OriginalStamp> stamps;

  std::vector<std::byte> to_bytes() const;
  static Result<OriginalStamps> from_bytes(std::span<const std::byte> bytes);
};

}  // namespace pievt
