#include "store/format/zstd_codec.h"

#include <algorithm>
#include <cstring>

#include <zstd.h>
#include <zstd_errors.h>

#include <fmt/format.h>

namespace pievt {
namespace {

using Bytes = std::span<const std::byte>;

// Level 3 makes real captures a third smaller than level 1 and is as fast on the quadratic stream.
constexpr int chunk_level = 3;

// 2 MiB: reaches from the end of any chunk into its prefix. zstd's own choice for level 3 would be
// as large; for lower levels it is smaller than a long answer's line.
constexpr int chunk_window_log = 21;

// What always fits, however badly it compresses. Where a chain begins to try.
constexpr std::size_t raw_chunk_bytes_sure = 248u << 10;
static_assert(ZSTD_COMPRESSBOUND(raw_chunk_bytes_sure) <= packed_chunk_bytes_max);

// A block holds at most 128 KiB and takes at least four bytes: header and one repeated byte.
constexpr std::size_t block_bytes_max = 128u << 10;
constexpr std::size_t block_frame_bytes_min = 4;

bool is_too_small(std::size_t code) {
  return ZSTD_isError(code) != 0 && ZSTD_getErrorCode(code) == ZSTD_error_dstSize_tooSmall;
}

// Setting a parameter can only fail when the parameter or its value does not exist in the library.
void set(ZSTD_CCtx* context, ZSTD_cParameter parameter, int value) {
  PIEVT_ASSERT(ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value)) == 0);
}

struct FreeCompression {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompression {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Error corrupt(std::size_t frame_bytes, std::size_t expected_bytes, std::string_view why) {
  return {Errc::corrupt, fmt::format("a zstd frame of {} bytes that should hold {} bytes: {}",
                                     frame_bytes, expected_bytes, why)};
}

bool is_zstd_frame(Bytes frame) {
  constexpr unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
  return frame.size() > sizeof(magic) && std::memcmp(frame.data(), magic, sizeof(magic)) == 0;
}

// `room` is of the size that is expected.
Status decompress_to(std::span<std::byte> room, ZSTD_DCtx* context, Bytes prefix, Bytes frame) {
  // What an earlier failure has left behind is cleared.
  ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
  PIEVT_ASSERT(ZSTD_isError(ZSTD_DCtx_refPrefix(context, prefix.data(), prefix.size())) == 0);
  const std::size_t size =
      ZSTD_decompressDCtx(context, room.data(), room.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0) return corrupt(frame.size(), room.size(), ZSTD_getErrorName(size));
  if (size != room.size()) {
    return corrupt(frame.size(), room.size(), fmt::format("it holds {} bytes", size));
  }
  return {};
}

Result<std::vector<std::byte>> decompress_with(ZSTD_DCtx* context, Bytes prefix, Bytes frame,
                                               std::size_t expected_bytes) {
  std::vector<std::byte> content(expected_bytes);
  PIEVT_TRY(decompress_to(content, context, prefix, frame));
  return content;
}

}  // namespace

Status check_frame(Bytes frame, std::size_t expected_bytes, std::size_t bytes_max) {
  const auto bad = [&](std::string_view why) { return corrupt(frame.size(), expected_bytes, why); };
  if (expected_bytes > bytes_max) return bad("more than is ever stored in one frame");
  if (expected_bytes > (frame.size() / block_frame_bytes_min + 1) * block_bytes_max) {
    return bad("no frame of this size can hold that much");
  }
  // zstd also takes "skippable" frames, which hold nothing, and concatenations. Neither is ours.
  if (!is_zstd_frame(frame)) return bad("it does not begin like a frame");
  const unsigned long long claimed = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (claimed == ZSTD_CONTENTSIZE_ERROR) return bad("its header is damaged");
  if (claimed == ZSTD_CONTENTSIZE_UNKNOWN) return bad("it does not say how much it holds");
  if (claimed != expected_bytes) return bad(fmt::format("it says it holds {} bytes", claimed));
  const std::size_t size = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(size) != 0) return bad(ZSTD_getErrorName(size));
  if (size != frame.size()) return bad(fmt::format("it ends after {} bytes", size));
  return {};
}

Result<std::vector<std::byte>> compress(std::span<const std::byte> content, int level) {
  if (content.size() > frame_content_bytes_max) {
    return Error{Errc::invalid,
                 fmt::format("{} bytes to compress in one piece; at most {} are allowed",
                             content.size(), frame_content_bytes_max)};
  }
  const std::unique_ptr<ZSTD_CCtx, FreeCompression> context(ZSTD_createCCtx());
  PIEVT_ASSERT(context != nullptr);
  set(context.get(), ZSTD_c_compressionLevel, std::clamp(level, 1, 19));
  set(context.get(), ZSTD_c_checksumFlag, 1);
  std::vector<std::byte> frame(ZSTD_compressBound(content.size()));
  const std::size_t size =
      ZSTD_compress2(context.get(), frame.data(), frame.size(), content.data(), content.size());
  if (ZSTD_isError(size) != 0) {
    return Error{Errc::io, fmt::format("zstd cannot compress {} bytes: {}", content.size(),
                                       ZSTD_getErrorName(size))};
  }
  frame.resize(size);
  frame.shrink_to_fit();
  return frame;
}

Result<std::vector<std::byte>> decompress(std::span<const std::byte> frame,
                                          std::size_t expected_bytes) {
  PIEVT_TRY(check_frame(frame, expected_bytes, frame_content_bytes_max));
  const std::unique_ptr<ZSTD_DCtx, FreeDecompression> context(ZSTD_createDCtx());
  PIEVT_ASSERT(context != nullptr);
  return decompress_with(context.get(), {}, frame, expected_bytes);
}

Decompressor::Decompressor() : context_(ZSTD_createDCtx()) {
  PIEVT_ASSERT(context_ != nullptr);
}

void Decompressor::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

Status Decompressor::unpack(std::span<const std::byte> frame, std::span<std::byte> room) {
  PIEVT_TRY(check_frame(frame, room.size(), frame_content_bytes_max));
  return decompress_to(room, context_.get(), {}, frame);
}

Result<FoundFrame> decompress_first(std::span<const std::byte> bytes,
                                    std::size_t content_bytes_max) {
  const std::size_t size = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) return Error{Errc::corrupt, ZSTD_getErrorName(size)};
  const unsigned long long claimed = ZSTD_getFrameContentSize(bytes.data(), size);
  if (claimed > content_bytes_max) return Error{Errc::corrupt, "not a frame, or a larger one"};
  return FoundFrame{PIEVT_TRY(decompress(bytes.first(size), claimed)), size};
}

void ChunkChain::restart() {
  prefix_.clear();
  since_restart_ = 0;
}

void ChunkChain::add(Bytes raw) {
  since_restart_ += raw.size();
  const Bytes kept = raw.last(std::min(raw.size(), chunk_prefix_bytes_max));
  const std::size_t room = chunk_prefix_bytes_max - kept.size();
  if (prefix_.size() > room) {
    const auto surplus = static_cast<std::ptrdiff_t>(prefix_.size() - room);
    prefix_.erase(prefix_.begin(), prefix_.begin() + surplus);
  }
  // Doubling would take up to a megabyte for what never grows beyond half of one.
  if (prefix_.capacity() < prefix_.size() + kept.size()) {
    prefix_.reserve(std::min(chunk_prefix_bytes_max, 2 * (prefix_.size() + kept.size())));
  }
  prefix_.insert(prefix_.end(), kept.begin(), kept.end());
}

PrimedCompressor::PrimedCompressor()
    : context_(ZSTD_createCCtx()), packed_(packed_chunk_bytes_max) {
  PIEVT_ASSERT(context_ != nullptr);
  set(context_.get(), ZSTD_c_compressionLevel, chunk_level);
  set(context_.get(), ZSTD_c_windowLog, chunk_window_log);
  set(context_.get(), ZSTD_c_checksumFlag, 1);
}

void PrimedCompressor::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

Result<PackedChunk> PrimedCompressor::pack(ChunkChain& chain, std::span<const std::byte> pending) {
  if (pending.empty()) return Error{Errc::invalid, "no output to pack"};
  std::size_t aim = std::max(chain.next_raw_bytes_, raw_chunk_bytes_sure);
  if (chain.since_restart_ + std::min(aim, pending.size()) > chain_restart_bytes) chain.restart();
  const ChunkStart start = chain.since_restart_ == 0 ? ChunkStart::restarts : ChunkStart::continues;
  while (true) {
    const Bytes raw = pending.first(std::min(aim, pending.size()));
    const Bytes prefix = chain.prefix();
    // A try that did not fit has left the context in the middle of a frame.
    ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only);
    PIEVT_ASSERT(ZSTD_isError(ZSTD_CCtx_refPrefix(context_.get(), prefix.data(), prefix.size())) ==
                 0);
    const std::size_t size =
        ZSTD_compress2(context_.get(), packed_.data(), packed_.size(), raw.data(), raw.size());
    if (is_too_small(size) && raw.size() > raw_chunk_bytes_sure) {
      aim = std::max(raw.size() / 2, raw_chunk_bytes_sure);
      continue;
    }
    if (ZSTD_isError(size) != 0) {
      return Error{Errc::io, fmt::format("zstd cannot compress {} bytes of output: {}", raw.size(),
                                         ZSTD_getErrorName(size))};
    }
    // Twice as much next time if twice as much would have fitted with a quarter to spare.
    const bool roomy = raw.size() == aim && size * 2 <= packed_.size() / 4 * 3;
    chain.next_raw_bytes_ = roomy ? std::min(aim * 2, raw_chunk_bytes_max) : aim;
    chain.add(raw);
    const Bytes frame = Bytes(packed_).first(size);
    return PackedChunk{start, raw.size(), {frame.begin(), frame.end()}};
  }
}

PrimedDecompressor::PrimedDecompressor() : context_(ZSTD_createDCtx()) {
  PIEVT_ASSERT(context_ != nullptr);
}

void PrimedDecompressor::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

Result<std::vector<std::byte>> PrimedDecompressor::unpack(ChunkChain& chain, ChunkStart start,
                                                          std::span<const std::byte> frame,
                                                          std::size_t raw_bytes) {
  if (start == ChunkStart::restarts) chain.restart();
  PIEVT_TRY(check_frame(frame, raw_bytes, raw_chunk_bytes_max));
  std::vector<std::byte> raw =
      PIEVT_TRY(decompress_with(context_.get(), chain.prefix(), frame, raw_bytes));
  chain.add(raw);
  return raw;
}

}  // namespace pievt
