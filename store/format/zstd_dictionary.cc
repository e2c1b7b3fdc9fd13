#include "store/format/zstd_dictionary.h"

#include <algorithm>

#include <zdict.h>
#include <zstd.h>

#include <fmt/format.h>

namespace pievt {
namespace {

// Below this there is nothing to learn, and zstd's trainer refuses or writes nonsense.
constexpr std::size_t samples_min = 16;
constexpr std::size_t sample_bytes_min = 16u << 10;

// Parameters and dictionaries can only be refused where memory is short or a value does not exist.
void must(std::size_t code) {
  PIEVT_ASSERT(ZSTD_isError(code) == 0);
}

}  // namespace

std::vector<std::byte> train_dictionary(std::span<const std::span<const std::byte>> samples,
                                        std::size_t bytes_max) {
  std::vector<std::byte> content;
  std::vector<std::size_t> sizes;
  for (const std::span<const std::byte> sample : samples) {
    if (sample.empty()) continue;
    content.insert(content.end(), sample.begin(), sample.end());
    sizes.push_back(sample.size());
  }
  if (sizes.size() < samples_min || content.size() < sample_bytes_min) return {};
  // A dictionary of nearly all that there is would only be a second copy of it.
  std::vector<std::byte> dictionary(std::min(bytes_max, content.size() / 4));
  const std::size_t size =
      ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), content.data(), sizes.data(),
                            static_cast<unsigned>(sizes.size()));
  if (ZDICT_isError(size) != 0) return {};
  dictionary.resize(size);
  return dictionary;
}

FrameCompressor::FrameCompressor(int level, std::span<const std::byte> dictionary)
    : context_(ZSTD_createCCtx()) {
  PIEVT_ASSERT(context_ != nullptr);
  must(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, std::clamp(level, 1, 19)));
  must(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
  if (!dictionary.empty())
    must(ZSTD_CCtx_loadDictionary(context_.get(), dictionary.data(), dictionary.size()));
}

void FrameCompressor::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

Result<std::vector<std::byte>> FrameCompressor::compress(std::span<const std::byte> content) {
  if (content.size() > frame_content_bytes_max) {
    return Error{Errc::invalid,
                 fmt::format("{} bytes to compress in one piece; at most {} are allowed",
                             content.size(), frame_content_bytes_max)};
  }
  std::vector<std::byte> frame(ZSTD_compressBound(content.size()));
  const std::size_t size =
      ZSTD_compress2(context_.get(), frame.data(), frame.size(), content.data(), content.size());
  if (ZSTD_isError(size) != 0) {
    return Error{Errc::io, fmt::format("zstd cannot compress {} bytes: {}", content.size(),
                                       ZSTD_getErrorName(size))};
  }
  frame.resize(size);
  return frame;
}

FrameDecompressor::FrameDecompressor() : context_(ZSTD_createDCtx()) {
  PIEVT_ASSERT(context_ != nullptr);
}

void FrameDecompressor::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

Status FrameDecompressor::use(std::span<const std::byte> dictionary) {
  const std::size_t code =
      ZSTD_DCtx_loadDictionary(context_.get(), dictionary.data(), dictionary.size());
  if (ZSTD_isError(code) == 0) return {};
  return Error{Errc::corrupt, fmt::format("a zstd dictionary of {} bytes: {}", dictionary.size(),
                                          ZSTD_getErrorName(code))};
}

Result<std::vector<std::byte>> FrameDecompressor::decompress(std::span<const std::byte> frame,
                                                             std::size_t expected_bytes) {
  PIEVT_TRY(check_frame(frame, expected_bytes, frame_content_bytes_max));
  // What an earlier failure has left behind is cleared; the dictionary stays.
  must(ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only));
  std::vector<std::byte> content(expected_bytes);
  const std::size_t size = ZSTD_decompressDCtx(context_.get(), content.data(), content.size(),
                                               frame.data(), frame.size());
  if (ZSTD_isError(size) != 0 || size != expected_bytes) {
    return Error{
        Errc::corrupt,
        fmt::format(
            "a zstd frame of {} bytes that should hold {} bytes: {}", frame.size(), expected_bytes,
            ZSTD_isError(size) != 0 ? ZSTD_getErrorName(size) : "it holds another number of them")};
  }
  return content;
}

}  // namespace pievt
