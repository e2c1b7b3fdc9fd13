// A page: what one fsync made durable, as one value in RocksDB.
//
//   PageHeader | segment ... segment
//   segment := CommitHeader | StreamEntry x stream_count | Stamp x event_count | body ... body
//
// All numbers are little-endian, every part starts at a multiple of 8, bodies are padded with zeros
// to 8. A commit that does not fit a page is cut into segments, each in a page of its own; all of
// them are written in one batch. docs/log_format.md describes the same for a stranger.
//
// Why so: one value a group makes one entry to write, check and scan (20 M events/s in pages of 100
// against 6 M with an entry an event). Bodies are hashed by whoever encoded them; the writer hashes
// only the few bytes it adds itself, and the chain over these binds both.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pievt/event.h"
#include "pievt/limits.h"
#include "pievt/result.h"
#include "store/format/hash.h"

namespace pievt::format {

static_assert(std::endian::native == std::endian::little,
              "pages are little-endian and read in place");

inline constexpr std::uint32_t page_magic = 0x45474150;  // "PAGE"
inline constexpr std::uint16_t page_version = 1;

/// In PageHeader::flags: the page has no commits. It stands for events that were lost and that a
/// salvage could not find, so that what lies around them keeps its numbers and can be read.
inline constexpr std::uint16_t page_flag_lost = 1;

struct PageHeader {
  std::uint32_t magic;
  std::uint32_t crc32c;  ///< of every byte behind this field
  std::uint16_t version;
  std::uint16_t flags;
  std::uint32_t page_bytes;
  std::uint64_t first_sequence;
  std::uint64_t last_sequence;
  std::uint64_t schema;  ///< first 8 bytes of the SHA-256 of the binary schema of its bodies
  std::uint64_t epoch;   ///< of the writer
  std::uint32_t segment_count;
  std::uint32_t reserved;
  std::uint64_t store;  ///< first 8 bytes of the store's id: a page of another store is not a page
                        ///< of this one
};
static_assert(sizeof(PageHeader) == 64 && std::has_unique_object_representations_v<PageHeader>);

struct CommitHeader {
  std::array<std::byte, 16> append_id;
  std::uint64_t first_sequence;  ///< of this segment
  std::uint32_t event_count;     ///< in this segment
  std::uint32_t stream_count;
  std::uint32_t segment_bytes;  ///< with this header, a multiple of 8
  std::uint16_t segment;        ///< from 0
  std::uint16_t segment_count;  ///< of the whole commit
  std::uint32_t first_index;    ///< this segment's first event within the append
  std::uint32_t durability;
  Digest body_hash;  ///< SHA-256 of this segment's bodies, padding included
  Digest chain;  ///< SHA-256 of the chain before, this header up to here, stream entries and stamps
};
static_assert(sizeof(CommitHeader) == 112 &&
              std::has_unique_object_representations_v<CommitHeader>);

struct StreamEntry {
  std::uint32_t stream;
  std::uint32_t event_count;    ///< in this segment
  std::uint64_t expected;       ///< Expected::code()
  std::uint64_t last_revision;  ///< of the stream, after this segment
};
static_assert(sizeof(StreamEntry) == 24 && std::has_unique_object_representations_v<StreamEntry>);

constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + 7) & ~std::size_t{7};
}

/// One segment, pointing into a page.
struct SegmentView {
  const CommitHeader* header;
  std::span<const StreamEntry> streams;
  std::span<const schema::Stamp> stamps;
  std::span<const std::byte> bodies;
};

/// A page whose size, checksum and inner bounds have been checked. Points into the bytes it was
/// parsed from, which must be aligned to 8 and outlive it.
struct PageView {
  const PageHeader* header = nullptr;
  std::vector<SegmentView> segments;

  /// Whether it stands for lost events; then it has no segments.
  bool is_lost() const { return (header->flags & page_flag_lost) != 0; }

  /// corrupt, with the place inside the page; too_new for a later page version.
  static Result<PageView> parse(std::span<const std::byte> bytes);

  /// The same, into this view, whose memory is used again: walking through small pages allocates
  /// and moves nothing. After an error the view shows nothing that may be used.
  Status load(std::span<const std::byte> bytes);

  /// What verifying costs extra: recomputes body hashes and the chain. `chain` is the value before
  /// this page and becomes the value after it.
  Status check_chain(Digest& chain) const;
};

/// Appends the views of the page's events, or of one stream's only, to `out`. Each body is verified
/// to be an Envelope.
Status collect_events(const PageView& page, std::optional<std::uint32_t> stream,
                      std::vector<EventView>& out);

constexpr std::size_t segment_bytes(std::size_t streams, std::size_t events,
                                    std::size_t body_bytes) {
  return sizeof(CommitHeader) + streams * sizeof(StreamEntry) + events * sizeof(schema::Stamp) +
         body_bytes;
}

/// The room for segments in one page.
inline constexpr std::size_t page_room = limits::page_bytes_max - sizeof(PageHeader);

/// Where a segment is filled, inside its page.
struct SegmentSpace {
  std::span<StreamEntry> streams;
  std::span<schema::Stamp> stamps;
  std::span<std::byte> bodies;
};

/// Builds one page, segment by segment, in the memory that it is written from.
class PageBuilder {
 public:
  PageBuilder() : page_(sizeof(PageHeader)) {}

  bool has_room(std::size_t segment_bytes) const {
    return page_.size() - sizeof(PageHeader) + segment_bytes <= page_room;
  }

  /// Adds a segment as large as `header` says. What is handed out is zeros, and is the caller's to
  /// fill until close().
  SegmentSpace add(const CommitHeader& header);

  /// Gives the segment that was added last its chain value and moves `chain` on.
  void close(Digest& chain);

  /// The page, complete; good as long as this and until something is added.
  std::span<const std::byte> finish(PageHeader header);

 private:
  CommitHeader& last_header();

  std::vector<std::byte> page_;
  std::size_t last_ = 0;  ///< where the last segment begins
  std::uint32_t segments_ = 0;
};

/// Builds the page that stands for the lost events from `header.first_sequence` to
/// `header.last_sequence`.
std::vector<std::byte> build_lost_page(PageHeader header);

}  // namespace pievt::format
