// Any bytes as compressed ones: single frames, frames found in ruins, and a chain of chunks.
// Nothing grows beyond what the caller expects.
#include <cstddef>
#include <cstdint>
#include <span>

#include "store/format/zstd_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pievt;  // NOLINT(google-build-using-namespace)
  const auto bytes = std::as_bytes(std::span(data, size));
  constexpr std::size_t found_bytes_max = 64u << 10;
  const auto found = decompress_first(bytes, found_bytes_max);
  if (found.ok()) {
    PIEVT_ASSERT(found->content.size() <= found_bytes_max && found->frame_bytes <= size);
    const auto frame = bytes.first(found->frame_bytes);
    const auto again = decompress(frame, found->content.size());
    PIEVT_ASSERT(again.ok() && *again == found->content);
    PIEVT_ASSERT(!decompress(frame, found->content.size() + 1).ok());
    PrimedDecompressor chunks;
    ChunkChain chain;
    const auto raw = chunks.unpack(chain, ChunkStart::restarts, frame, found->content.size());
    PIEVT_ASSERT(!raw.ok() || *raw == found->content);
  }
  const auto claimed = decompress(bytes, size * 16);
  PIEVT_ASSERT(!claimed.ok() || claimed->size() == size * 16);
  return 0;
}
