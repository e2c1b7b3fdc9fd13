// What follows from the pages: the entries of `streams`, `ids` and `index`. One place knows how
// they are made from pages alone; backup, restore, salvage, rebuild and a reader without an index
// all make them here, and the tests compare them byte for byte with what the writer wrote.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "pievt/event.h"
#include "pievt/result.h"
#include "store/log/rocks.h"
#include "store/log/stored_page.h"

namespace pievt {

/// What pages alone do not tell. Each may be empty, and each may answer with nothing.
struct OlderKnowledge {
  /// The value that an older `ids` family has under a key. An append that only checked a stream
  /// that does not exist does not hold that stream's name, so its request hash cannot be computed
  /// again.
  std::function<std::optional<std::string>(std::string_view)> id_entry;
  /// The name of a stream, where the page that declared it is lost.
  std::function<std::optional<std::string>(std::uint32_t)> stream_name;
};

/// `streams_only`: without `ids`, which a reader never asks for and which are most of the bytes.
enum class Derive : std::uint8_t { everything, streams_only };

/// Takes the pages of a log in order, none left out, and puts their entries into a WriteSet.
///
/// Pages that stand for lost events are pages too: where a stream's revisions jump behind one, the
/// revisions between are entered as lying in it, so that reading the stream passes over them. A
/// stream whose declaration was lost is called `lost/<number>` unless its name is known otherwise.
class Derivation {
 public:
  /// Goes on behind the last page that `derived` holds, with its entries. `derived` must outlive it
  /// and hold, whenever page() is called, no entry of a later page.
  Derivation(const Rocks& derived, OlderKnowledge older, Derive what = Derive::everything)
      : derived_(&derived), older_(std::move(older)), what_(what) {}

  /// `events`: all of the page's. corrupt: revisions or streams that do not fit the pages before,
  /// with no lost events to explain it.
  Status page(const StoredPage& page, std::span<const EventView> events, WriteSet& to);

  /// Whether the last commit is complete; one may go on over several pages. Entries of an
  /// incomplete one come with its last page.
  bool between_commits() const { return !open_; }

  /// How many appends there were whose retry would be refused (id_reused) rather than answered:
  /// parts of them are lost, or their request hash cannot be known.
  std::uint64_t unrepeatable() const { return unrepeatable_; }

 private:
  struct OpenAppend {
    struct Stream {
      std::uint32_t number;
      std::uint64_t expected, count;
    };
    // Without values of their own, for Clang to see that it can be made; made as OpenAppend().
    AppendId id;
    std::uint64_t first, last;
    std::uint16_t next_segment;
    bool whole;
    std::vector<Stream> streams;
    std::vector<Digest> body_hashes;
  };

  void declare(const EventView& event, WriteSet& to);
  Status segment(const format::SegmentView& segment, WriteSet& to);
  Result<std::optional<Digest>> request_hash(const OpenAppend& append);
  Status close_append(WriteSet& to);
  Status streams_of(const StoredPage& page, WriteSet& to);
  Result<std::uint64_t> revision_of(std::uint32_t stream);
  Result<std::string> name_of(std::uint32_t stream);
  Result<std::optional<std::uint64_t>> lost_page();
  Status name_lost_stream(std::uint32_t stream, WriteSet& to);
  void put_name(std::uint32_t number, const std::string& name, WriteSet& to);

  const Rocks* derived_;
  OlderKnowledge older_;
  Derive what_;
  std::unordered_map<std::uint32_t, std::string> names_;
  std::unordered_map<std::uint32_t, std::uint64_t> revisions_;
  std::optional<std::uint64_t> lost_page_;  ///< key of the last page of lost events
  bool lost_page_looked_for_ = false;
  std::optional<OpenAppend> open_;
  std::uint64_t unrepeatable_ = 0;
};

}  // namespace pievt
