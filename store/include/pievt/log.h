// The log: one ordered, gapless, append-only sequence of events in many streams, kept in one
// directory (the store).
//
//   auto log = Log::open(".pievt", {.mode = OpenMode::write});
//   auto done = log->append("run/r1", Expected::no_stream(), events);
//   for (auto reader = log->read({1}); reader.next();) use(reader.event());
//
// Processes. Any number may open a store for writing. One of them at a time holds the store's locks
// and writes; the others hand their appends to it over the store's socket, and when it closes or
// dies (the kernel releases the locks) one of them takes its place. An append in flight then is
// repeated under its id; nobody notices but by the time it takes. Any number of processes may read
// at the same time: they see a contiguous prefix of the log, always, and of a living writer's
// events only those that are as durable as promised.
//
// Threads. A Log may be used from any number of threads at once. Readers and followers belong to
// one thread each and must not outlive the Log. A child made by fork() of a process that has ever
// opened a store can open none, before it execs: RocksDB's threads are not in it.
//
// Failure. After an I/O error on append the log takes no more appends (Errc::io, Errc::no_space):
// close it and open it again. What had been acknowledged is never lost by that; what had not may or
// may not be there, and appending it again under the same id is safe.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/event.h"
#include "pievt/ids.h"
#include "pievt/limits.h"
#include "pievt/result.h"

namespace pievt {

enum class OpenMode : std::uint8_t {
  read,    ///< never writes a byte; works on read-only media and beside a writer
  write,   ///< appends too; the store must exist
  create,  ///< as write, and makes the store where there is none
};

/// What to do when another process writes.
enum class Sharing : std::uint8_t {
  forwarded,  ///< append through it
  sole,       ///< be the process that writes, or fail with Errc::busy
};

struct OpenOptions {
  OpenMode mode = OpenMode::read;
  Sharing sharing = Sharing::forwarded;
  /// How long to wait for the process that writes, to answer (it may hang) or to go away (sole),
  /// before Errc::busy.
  std::chrono::milliseconds wait = limits::open_wait_default;
  /// Shown to others who want to write: which program holds the store.
  std::string program = "pievt";
};

/// Events for one stream within an append, with what the caller believes about the stream. Without
/// events the stream is only checked.
struct StreamEvents {
  std::string stream;
  Expected expected = Expected::any();
  std::vector<NewEvent> events;
};

struct AppendOptions {
  /// Empty: a new one. Give one to be able to repeat the append safely after a lost
  /// acknowledgement.
  std::optional<AppendId> id;
  /// Through another process `memory` counts as `wal`.
  Durability durability = Durability::fsync;
  /// How long to wait for another process that writes before Errc::busy, which says who has the
  /// store and since when. Whether the append is in the log is open then: repeat it under its id.
  /// Has no meaning where this process writes.
  std::chrono::milliseconds wait = limits::append_wait_default;
};

/// Where the events of one stream of an append are.
struct StreamPosition {
  Revision first;  ///< of this append's events; 0 where it only checked the stream
  Revision last;   ///< the stream's last revision after the append
};

enum class AppendOutcome : std::uint8_t {
  written,        ///< it is in the log now
  already_there,  ///< the same append had been written before; these are its positions
};

struct Appended {
  AppendOutcome outcome = AppendOutcome::written;
  AppendId id;
  Sequence first;
  Sequence last;
  /// In the order the streams were given.
  std::vector<StreamPosition> streams;
};

/// An append that is encoded and hashed, but not written yet. Making one is the expensive half of
/// an append and needs no lock, so it can be done in another thread.
class EncodedAppend {
 public:
  /// Errc::invalid when a bound of limits.h is broken, a name is bad, or there is nothing to do.
  static Result<EncodedAppend> encode(std::span<const StreamEvents> streams,
                                      const AppendOptions& options = {});

  EncodedAppend(EncodedAppend&&) noexcept;
  EncodedAppend& operator=(EncodedAppend&&) noexcept;
  ~EncodedAppend();

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit EncodedAppend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

enum class Direction : std::uint8_t { forward, backward };

/// Walks through events in order. `next()` moves to the next event and is false at the end or on an
/// error; `status()` tells which. Reads what was committed when it was made; a later commit is seen
/// by a later reader.
class EventReader {
 public:
  EventReader(EventReader&&) noexcept;
  EventReader& operator=(EventReader&&) noexcept;
  ~EventReader();

  bool next() {
    if (at_ + 1 < page_events_.size()) [[likely]] {
      ++at_;
      return true;
    }
    return next_page();
  }

  /// Valid until the next call of next().
  const EventView& event() const { return page_events_[at_]; }

  /// Ok at the end of the log. Errc::corrupt carries the page and what is wrong with it.
  const Status& status() const { return status_; }

  struct Impl;
  explicit EventReader(std::unique_ptr<Impl> impl);

 private:
  bool next_page();
  std::unique_ptr<Impl> impl_;
  std::span<const EventView> page_events_;
  std::size_t at_ = 0;
  Status status_;
};

/// Hears of new events. Never misses one and never repeats one, also when the writer dies and
/// another takes over.
class Follower {
 public:
  Follower(Follower&&) noexcept;
  Follower& operator=(Follower&&) noexcept;
  ~Follower();

  /// Waits until there is something after the last event this follower gave, or until `timeout` has
  /// passed, and returns a reader over exactly what is new (over nothing after a timeout).
  Result<EventReader> wait(std::chrono::milliseconds timeout);

  struct Impl;
  explicit Follower(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

/// A state that was saved for a position in the log, see projection.h. Derived: may be deleted at
/// any time.
struct Checkpoint {
  std::string identity;  ///< name, code version and schema of the projection that made it
  Sequence at;
  std::vector<std::byte> state;
};

/// What `verify` and `version` show about a page's origin, and what a proof starts from.
struct LogInfo {
  std::string store_id;
  std::uint32_t format_version = 0;
  std::filesystem::path directory;
  OpenMode mode = OpenMode::read;
  Sequence head;
  /// A living process holds the writer's role.
  bool writer_alive = false;
  /// Opened for writing, but another process holds the writer's role at the moment.
  bool forwards = false;
  /// Events that were acknowledged since this machine started and that the log does not have: proof
  /// of a loss.
  std::uint64_t missing = 0;
};

class Log {
 public:
  /// Opens the store in `directory`.
  ///
  /// Damaged indexes are no failure: a writer makes them anew before it begins, a reader finds its
  /// answers in the pages; see mended() in upkeep.h.
  ///
  /// not_found: there is no store. busy: another process writes, and hangs (or is not to, with
  /// Sharing::sole); the sentence says which and since when. too_new: a later format. corrupt: the
  /// write-ahead log or a page is damaged, or texts are gone; nothing was changed. io, no_space,
  /// unsupported.
  static Result<Log> open(const std::filesystem::path& directory, const OpenOptions& options = {});

  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;
  /// Flushes what was only in memory and gives the writer's role up. Errors at this point are lost:
  /// call close() to hear of them.
  ~Log();
  Status close();

  /// Appends atomically to one stream or to several, in the order given.
  ///
  /// When it returns ok, every event has its sequence and revision, all as durable as asked.
  /// Otherwise nothing of it is visible: conflict (a stream is not as expected; the sentence names
  /// it and where it is), id_reused (the id was used for something else), invalid (a bound), fenced
  /// (the store was taken from its path), busy (see AppendOptions::wait), io or no_space (see
  /// Failure). The id is looked at before the expected revisions: repeating an append that had been
  /// written answers with its positions, whatever happened to the streams since.
  Result<Appended> append(const EncodedAppend& append);
  Result<Appended> append(std::span<const StreamEvents> streams, const AppendOptions& options = {});
  Result<Appended> append(std::string_view stream, Expected expected, std::vector<NewEvent> events,
                          const AppendOptions& options = {});

  /// The last committed sequence. Where another process writes: as of the last refresh(), own
  /// appends included.
  Sequence head() const;

  /// The stream's last revision; 0 where it does not exist.
  Result<Revision> stream_head(std::string_view stream) const;

  /// Every stream, by number (the order of their first event), from 1.
  Result<std::vector<std::string>> streams() const;

  /// The name behind a stamp's stream number.
  Result<std::string> stream_name(std::uint32_t number) const;

  /// From `from` to `to` (both included; `to` 0: the head), or the other way round.
  EventReader read(Sequence from, Sequence to = {}, Direction direction = Direction::forward) const;

  /// Only the events of one stream, by revision. A stream that does not exist is empty.
  EventReader read_stream(std::string_view stream, Revision from, Revision to = {},
                          Direction direction = Direction::forward) const;

  /// Events after `after`, as they come.
  Result<Follower> follow(Sequence after) const;

  /// Where another process writes: looks for what was committed since. Does nothing in the one that
  /// writes.
  Status refresh();

  /// Stores a text or bytes and returns how events refer to it; content that is there already is
  /// not stored again. It becomes durable with the next append of the level asked for there: append
  /// the event that refers to it after it.
  Result<schema::BlobRef> put_blob(std::span<const std::byte> content, schema::BlobKind kind);
  Result<schema::BlobRef> put_blob(std::string_view text,
                                   schema::BlobKind kind = schema::BlobKind::text);
  /// HMAC-SHA-256 of `content` under the store's key, as blobs have it: equal bytes can be told
  /// within one store, and nothing else.
  schema::Digest keyed_digest(std::string_view content) const;

  /// not_found: never stored, or redacted. corrupt: the bytes are not what was stored.
  Result<std::vector<std::byte>> get_blob(const schema::BlobRef& ref) const;

  /// Saved states of projections. Saving is not durable by itself and may be lost in a crash; that
  /// only costs time.
  Status save_checkpoint(std::string_view name, const Checkpoint& checkpoint);
  Result<std::optional<Checkpoint>> load_checkpoint(std::string_view name) const;

  /// The binary schema (.bfbs) that a page names, for events this version does not know.
  Result<std::vector<std::byte>> stored_schema(std::uint64_t short_hash) const;

  LogInfo info() const;

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pievt
