// The bytes of a sealed run, without a file: what its directory says, and how the pieces around the
// frames look. docs/sealed_format.md describes the same for a stranger.
//
//   head | frame ... frame | directory frame | tail | seek table
//
// Every frame is a zstd frame; head, tail and seek table are zstd's skippable frames, so that zstd
// itself walks through the file. Frames belong to sections, and the frames of a section, one after
// the other, hold one stream of bytes, in which things have addresses. The directory says where all
// of them are and which SHA-256 each has; the tail says it of the directory. So a byte is either
// under a digest or must be exactly what it is.
//
// Pure: nothing here trusts what it reads, and every count is compared with what is left before it
// is believed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "pievt/run_source.h"
#include "store/format/hash.h"

namespace pievt::sealed {

/// In the order in which they lie in a file. Numbers are for ever; a reader passes over sections it
/// does not know.
enum class Section : std::uint8_t {
  dictionary = 1,  ///< of zstd, for the frames of `events`; one frame or none
  schemas = 2,     ///< the shapes of events, see reflect_slim.h
  texts = 3,       ///< what events refer to
  output = 4,      ///< captured output, as it was written
  events = 5,
  index = 6,     ///< where each text is: IndexEntry, sorted by key
  manifest = 7,  ///< JSON for people; no reader needs it
};

struct Frame {
  Section section{};
  std::uint32_t stored = 0;  ///< bytes in the file
  std::uint32_t raw = 0;     ///< bytes it holds
  Digest digest{};           ///< SHA-256 of the stored bytes
};

struct SchemaEntry {
  std::uint64_t name = 0;  ///< first 8 bytes of the SHA-256 of the schema it was made from
  std::uint32_t size = 0;  ///< of what is here, one after the other in their section
  Digest digest{};         ///< SHA-256 of it
};

/// From this event on, until the next span: written with that schema.
struct SchemaSpan {
  std::uint64_t first = 0;
  std::uint64_t name = 0;
};

/// A piece of captured output that was there when the run was sealed.
struct Chunk {
  std::uint32_t number = 0;
  std::uint32_t size = 0;
  std::uint64_t revision = 0;  ///< of the event that tells of it
};

struct Channel {
  std::uint32_t job = 0, attempt = 0;
  std::uint8_t channel = 0;     ///< schema::OutputChannel
  std::uint64_t told = 0;       ///< how many chunks events tell of
  std::uint64_t address = 0;    ///< in the section, of the first; the others follow
  std::vector<Chunk> chunks{};  ///< from the first on; fewer than `told` where one was missing
  Digest digest{};              ///< SHA-256 of all of them
};

struct Directory {
  std::string pievt_version, run_id, origin;
  std::uint64_t events = 0;
  Digest events_digest{};  ///< RunDigest
  Digest stamps_digest{};  ///< StampsDigest
  std::uint64_t texts = 0, text_bytes = 0, texts_missing = 0, chunks_missing = 0;
  std::vector<Frame> frames;  ///< all but the directory's own, as they lie in the file
  /// How many events each frame of `events` has.
  std::vector<std::uint32_t> event_counts;
  std::vector<SchemaEntry> schemas;
  std::vector<SchemaSpan> spans;
  std::vector<Actor> actors;
  std::vector<Channel> channels;  ///< by job, attempt and channel
};

std::vector<std::byte> to_bytes(const Directory& directory);
/// corrupt: no directory, or one that contradicts itself.
Result<Directory> parse_directory(std::span<const std::byte> bytes);

/// What the directory says, as JSON for people.
std::string manifest_of(const Directory& directory);

/// Where a text is: 40 bytes. Digests are cut: the text's frame is under a whole one, and names are
/// made with a secret key, so that nobody can make two alike.
struct IndexEntry {
  std::array<std::byte, 8> key{};  ///< the beginning of the digest by which events name it
  std::uint64_t address = 0;       ///< in the section `texts`
  std::uint64_t size = 0;
  std::array<std::byte, 16> digest{};  ///< the beginning of the SHA-256 of the text
};
inline constexpr std::size_t index_entry_bytes = 40;
void put_entry(std::vector<std::byte>& to, const IndexEntry& entry);
IndexEntry entry_at(std::span<const std::byte, index_entry_bytes> bytes);

/// The first bytes of every sealed run.
inline constexpr std::string_view head_text = "pievt sealed 1\n";
inline constexpr std::size_t head_bytes = 8 + head_text.size();
std::array<std::byte, head_bytes> head();
/// Of a later format: the head, but for its number.
bool is_later_head(std::span<const std::byte> bytes);

struct Tail {
  std::uint64_t directory = 0;  ///< where its frame begins
  std::uint32_t stored = 0, raw = 0;
  Digest digest{};  ///< SHA-256 of the directory's frame
};
inline constexpr std::size_t tail_bytes = 8 + 16 + 32;
std::array<std::byte, tail_bytes> to_bytes(const Tail& tail);
Result<Tail> parse_tail(std::span<const std::byte> bytes);

/// zstd's seek table over everything before it.
inline constexpr std::size_t seek_footer_bytes = 9;
std::vector<std::byte> seek_table(const Directory& directory, const Tail& tail);
/// How many bytes the whole table has, by the last bytes of the file. corrupt: there is none.
Result<std::uint64_t> seek_table_bytes(std::span<const std::byte, seek_footer_bytes> footer);

}  // namespace pievt::sealed
