// Compression of what is stored: single pieces, and the output of children as chains of chunks.
//
// The output of a child needs its own way. pi 0.73 repeats the whole message twice in every line,
// so a 64 KiB answer is 273 MB of output; each line differs from the one before in a few bytes, but
// a line is up to hundreds of kilobytes long and a chunk compressed alone has to spell it out once.
// So each chunk is compressed with the end of its predecessors as a prefix it may refer back to.
// Measured on that stream (2 cores, zstd 1.5.4, level 3, 512 KiB of prefix, chunks of 2 MiB): it
// shrinks to 0.10 % of its size at 4.9 GB/s. Without a prefix chunks of 256 KiB give 7 % and chunks
// of 2 MiB 1 %. More than 512 KiB of prefix gains nothing below answers of half a megabyte and
// costs speed and memory per child. Long-distance matching was tried: three times slower for
// nothing.
//
// The price of a prefix is that a chunk can only be read after its predecessors. Every 64 MiB a
// chain starts afresh, so that reading a place in the middle is bounded.
//
// zstd appears in zstd_codec.cc and, for frames with a dictionary, in zstd_dictionary.cc, and
// nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pievt/result.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace pievt {

/// The most that one frame may expand to here. Nothing stored as one frame is larger.
inline constexpr std::size_t frame_content_bytes_max = 64u << 20;

/// One zstd frame with its content size and a checksum. `level` is zstd's, 1 to 19; others are
/// clamped. Errc::invalid for more than frame_content_bytes_max. Allocates about 1 MiB meanwhile.
Result<std::vector<std::byte>> compress(std::span<const std::byte> content, int level);

/// The content of `frame`, which must be one whole frame of exactly `expected_bytes`.
///
/// Errc::corrupt for anything else. The frame is not trusted: what is allocated follows from
/// `expected_bytes` and the frame's real size (zstd cannot expand more than 32768 times), never
/// from what its header claims.
Result<std::vector<std::byte>> decompress(std::span<const std::byte> frame,
                                          std::size_t expected_bytes);

/// Everything that can be known of a frame before memory is spent on it: that it begins like one,
/// says it holds exactly `expected_bytes`, can hold them, and ends where its bytes end. corrupt
/// otherwise, or where that is more than `bytes_max`.
Status check_frame(std::span<const std::byte> frame, std::size_t expected_bytes,
                   std::size_t bytes_max);

/// Unpacks any number of frames one after the other, each to where it belongs.
class Decompressor {
 public:
  Decompressor();

  /// As decompress(), of exactly the size of `room`. After an error there is anything in it.
  Status unpack(std::span<const std::byte> frame, std::span<std::byte> room);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

/// A frame with whatever lies behind it, as one finds it in the ruins of a file.
struct FoundFrame {
  std::vector<std::byte> content;
  std::size_t frame_bytes = 0;
};

/// The content of the frame that `bytes` begin with. Errc::corrupt where none does, or one that
/// claims to hold more than `content_bytes_max`.
Result<FoundFrame> decompress_first(std::span<const std::byte> bytes,
                                    std::size_t content_bytes_max);

/// How much of the past a chunk may refer to; what a chain keeps in memory.
inline constexpr std::size_t chunk_prefix_bytes_max = 512u << 10;

/// The most raw bytes in one chunk. What a caller gathers before it packs: more does not help.
inline constexpr std::size_t raw_chunk_bytes_max = 2u << 20;

/// The most bytes of a packed chunk: a value in RocksDB, 256 KiB, with room for a small header.
inline constexpr std::size_t packed_chunk_bytes_max = (256u << 10) - 256;

/// A chain starts afresh at the latest after so many raw bytes.
inline constexpr std::uint64_t chain_restart_bytes = 64u << 20;

/// What one chain of chunks remembers between its chunks: one per child, at most 512 KiB.
///
/// Writing and reading fill it in the same way, so a reader that has read n chunks can go on
/// writing. A default-constructed one is at a start.
class ChunkChain {
 public:
  /// The end of what was added since the start.
  std::span<const std::byte> prefix() const { return prefix_; }
  std::uint64_t raw_bytes_since_restart() const { return since_restart_; }

  /// Forgets everything: the next chunk refers to nothing.
  void restart();

 private:
  friend class PrimedCompressor;
  friend class PrimedDecompressor;
  void add(std::span<const std::byte> raw);

  std::vector<std::byte> prefix_;
  std::uint64_t since_restart_ = 0;
  std::size_t next_raw_bytes_ = 0;  // how much to try to pack next; 0: not known yet
};

/// Whether a chunk needs its predecessors. Recorded beside the chunk.
enum class ChunkStart : std::uint8_t { restarts = 1, continues = 2 };

struct PackedChunk {
  ChunkStart start;
  std::size_t raw_bytes;         ///< how many bytes of what was pending are in it
  std::vector<std::byte> frame;  ///< at most packed_chunk_bytes_max
};

/// Packs output into chunks. Holds the working memory of about 1.5 MiB and no state of a chain, so
/// that one serves all children of a thread. Movable.
class PrimedCompressor {
 public:
  PrimedCompressor();

  /// Packs the beginning of `pending` as the next chunk of `chain` and adds it to the chain.
  ///
  /// Takes as much as fits: at most raw_chunk_bytes_max, less where the bytes hardly compress (the
  /// chain learns how much; at worst 248 KiB), so the caller goes on with
  /// pending.subspan(raw_bytes) until nothing is left. Small chunks are allowed and cost about 0.2
  /// ms each for the prefix. Errc::invalid when nothing is pending. The frame carries a checksum of
  /// the raw bytes, so that reading it with another prefix fails instead of giving other bytes.
  Result<PackedChunk> pack(ChunkChain& chain, std::span<const std::byte> pending);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::vector<std::byte> packed_;
};

/// Reads chunks back, in order from one that restarts. Working memory about 0.2 MiB. Movable.
class PrimedDecompressor {
 public:
  PrimedDecompressor();

  /// The raw bytes of the next chunk of `chain`, which are also added to it.
  ///
  /// Errc::corrupt when the frame is damaged, does not hold exactly `raw_bytes`, or was packed
  /// after other bytes than the chain holds. The chain can then be continued only by a chunk that
  /// restarts. Nothing larger than raw_chunk_bytes_max is ever allocated.
  Result<std::vector<std::byte>> unpack(ChunkChain& chain, ChunkStart start,
                                        std::span<const std::byte> frame, std::size_t raw_bytes);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

}  // namespace pievt
