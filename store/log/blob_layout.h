// How a blob lies in Family::blobs. Its key holds one value, raw or compressed, or a manifest that
// names an upload whose chunks are such values, each under a key of its own. Only for blob_store.cc
// and blob_reader.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pievt/bytes.h"
#include "pievt/ids.h"
#include "pievt/limits.h"
#include "store/format/keys.h"

namespace pievt::blob_layout {

/// The first byte of a stored value.
enum class Layout : char { raw = 1, zstd = 2, chunked = 3 };

/// A value that holds bytes itself.
struct Piece {
  Layout layout = Layout::raw;
  std::size_t size = 0;  ///< of the content
  std::span<const std::byte> body;

  /// Nothing where it is no such value.
  static std::optional<Piece> parse(std::string_view value) {
    const auto size = format::get_u64(value, 1);
    if (!size || *size > limits::blob_chunk_bytes_max) return std::nullopt;
    const Piece piece{static_cast<Layout>(value[0]), *size, bytes_of(value.substr(9))};
    if (piece.layout == Layout::zstd) return piece;
    if (piece.layout != Layout::raw || piece.body.size() != *size) return std::nullopt;
    return piece;
  }
};

/// A value that names chunks.
struct Manifest {
  std::uint64_t size = 0;  ///< of the whole content
  std::uint32_t chunks = 0;
  std::string_view upload;

  /// Nothing where it is none, or one that was never written.
  static std::optional<Manifest> parse(std::string_view value) {
    constexpr std::size_t chunks_max = limits::blob_bytes_max / limits::blob_chunk_bytes_max + 1;
    if (value.size() != 13 + sizeof(AppendId) || value[0] != static_cast<char>(Layout::chunked))
      return std::nullopt;
    const Manifest manifest{format::get_u64(value, 1).value_or(0),
                            format::get_u32(value, 9).value_or(0), value.substr(13)};
    if (manifest.chunks > chunks_max) return std::nullopt;
    return manifest;
  }
};

inline std::string chunk_key(std::string_view upload, std::uint32_t chunk) {
  std::string key = "c" + std::string(upload);
  format::put_u32(key, chunk);
  return key;
}

}  // namespace pievt::blob_layout
