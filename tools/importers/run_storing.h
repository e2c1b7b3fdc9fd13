// A run of elsewhere on its way into a store, piece by piece: what an export in JSON Lines and a
// sealed file have in common. Whoever reads one of them gives texts and output before the events
// that refer to them.
//
// Bodies stay byte for byte what they were but for two things that belong to a store and not to a
// run: the digests that name texts are made with the key of the store they lie in, and the time of
// an event, which the other store had in its stamp, moves into the body. The stamps themselves go
// beside (import_stream), and open_run() puts them back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "pievt/output.h"
#include "pievt/run_source.h"
#include "store/format/codec.h"
#include "store/format/reflect.h"
#include "tools/importers/importer.h"

namespace pievt::tools {

/// What to do with events that this version does not understand in full.
enum class Unknown : std::uint8_t {
  refused,  ///< too_new: a store that goes on must be able to stand for what is in it
  kept,     ///< byte for byte; for a store that is only looked at
};

/// Where a run comes from, as its import records it.
struct Provenance {
  std::string path;
  std::string pievt_version;
  std::uint64_t bytes = 0;
};

/// A chunk of captured output.
struct OutputPiece {
  std::uint32_t job = 0, attempt = 0, chunk = 0;
  schema::OutputChannel channel = schema::OutputChannel::unknown;
  std::uint64_t offset = 0;
  bool restart = false;
  std::span<const std::byte> content;
};

class RunStoring {
 public:
  /// `log` must live longer.
  RunStoring(Log& log, std::string run_id, Unknown unknown)
      : log_(log), run_id_(std::move(run_id)), unknown_(unknown) {}

  /// Looks at what the store has of the run already.
  Status begin();
  /// Output is stored also where the store has its events already: it was removed from there.
  void restore_output() { restores_output_ = true; }
  /// Of all events, before the first of them: if this is interrupted, events without their stamps
  /// are worse than stamps without events.
  Status stamps(const OriginalStamps& all, const Provenance& from);
  /// `named`: how the run's events call it.
  Status text(const schema::Digest& named, std::span<const std::byte> content,
              schema::BlobKind kind);
  Status output(const OutputPiece& piece);
  /// The next event. conflict: the store has another run under this id. too_new: see Unknown.
  Status event(const EventView& event, const reflect::Schema& schema);
  /// Makes all of it durable.
  Status finish();

  std::uint64_t appended() const { return appended_; }
  RunImport outcome() const {
    return appended_ == 0 ? RunImport::unchanged
                          : (head_ == 0 ? RunImport::imported : RunImport::continued);
  }

 private:
  using ChunkPlace = std::tuple<std::uint32_t, std::uint32_t, schema::OutputChannel, std::uint32_t>;

  Status rename(std::span<std::byte> body, const reflect::Schema& schema, const EventView& event);
  Status encode(EventView view, std::vector<std::byte>& body);
  Status compare(std::span<const std::byte> body);
  Status append_group(Durability durability);
  std::string stream() const;

  Log& log_;
  std::string run_id_;
  Unknown unknown_;
  bool restores_output_ = false;
  std::uint64_t head_ = 0, revision_ = 0, appended_ = 0;
  std::optional<EventReader> stored_;            ///< what the store has of the run already
  std::map<std::string, schema::Digest> texts_;  ///< by the digest the run's events have
  std::map<ChunkPlace, schema::OutputCapturedT> chunks_;
  std::map<ChunkPlace, schema::Digest> stored_chunks_;
  std::optional<OutputWriter> writer_;
  OutputKey writing_;
  OutputPacker packer_;
  format::BodyEncoder encoder_;
  std::vector<std::byte> group_bodies_;
  std::vector<std::uint32_t> group_sizes_;
  EventId group_id_;
};

/// What a report says of a run, from its state.
ImportedRun imported_run(const std::string& run_id, const RunState& state);

/// All of `source`, through a RunStoring. `progress`: how many of how many events.
Result<ImportedRun> store_run(
    Log& log, const RunSource& source, Unknown unknown, const Provenance& from,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

}  // namespace pievt::tools
