// zstd for many frames of one kind, with or without a dictionary: what all of them repeat is said
// once, so that frames can be small, and be read one by one, and yet take little room.
//
// A dictionary is trained from what is to be packed and travels with it. Measured on the events of
// recorded runs, frames of 256 events with one are as small as frames of thousands without. Frames
// that were packed with a dictionary carry its number, so that reading one without it fails instead
// of giving other bytes; a frame packed without one can be read beside a dictionary all the same.
//
// A context is kept from frame to frame: at the highest level making one costs more than packing.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "pievt/result.h"
#include "store/format/zstd_codec.h"

namespace pievt {

/// What many of `samples` have in common, at most `bytes_max`. Empty where there are too few of
/// them or nothing is worth it. The same samples always give the same dictionary.
std::vector<std::byte> train_dictionary(std::span<const std::span<const std::byte>> samples,
                                        std::size_t bytes_max);

/// For one thread. Movable.
class FrameCompressor {
 public:
  /// `level` is zstd's, 1 to 19. The dictionary is copied; an empty one is none.
  explicit FrameCompressor(int level, std::span<const std::byte> dictionary = {});

  /// One frame with its content size and a checksum. invalid: more than frame_content_bytes_max.
  Result<std::vector<std::byte>> compress(std::span<const std::byte> content);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

/// For one thread. Movable.
class FrameDecompressor {
 public:
  FrameDecompressor();

  /// From here on frames are read with it. It is copied and not trusted. corrupt: it is none.
  Status use(std::span<const std::byte> dictionary);

  /// As decompress() in zstd_codec.h: exactly `expected_bytes`, or corrupt.
  Result<std::vector<std::byte>> decompress(std::span<const std::byte> frame,
                                            std::size_t expected_bytes);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

}  // namespace pievt
