// Keys of the column families. Numbers are big-endian, so that RocksDB's byte order is the order of
// the log.
//
//   log          last sequence of the page (8)            -> page; seeking n lands on n's page
//   streams      stream (4) last revision in the page (8) -> first revision (8), page key (8)
//   ids          append id (16)                           -> first, last (16), request hash (32)
//   index        "n" number (4)                           -> name of the stream
//                "s" name                                 -> number (4)
//                "a" number (4)                           -> actor
//   projections  name                                     -> checksum (4), checkpoint
//   blobs        "m" digest (32)                          -> manifest
//                "c" upload id (16) chunk (4)             -> chunk
//                "o" output key                           -> primed chunk
//   schemas      first 8 bytes of the hash                -> binary schema
//   meta         "store"                                  -> store id, format version, blob key
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace pievt::format {

inline void put_u64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

inline void put_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

/// The number at `at`, or nothing when the text is too short.
inline std::optional<std::uint64_t> get_u64(std::string_view text, std::size_t at = 0) {
  if (text.size() < at + 8) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(text[at + i]);
  return value;
}

inline std::optional<std::uint32_t> get_u32(std::string_view text, std::size_t at = 0) {
  if (text.size() < at + 4) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(text[at + i]);
  return value;
}

inline std::string log_key(std::uint64_t last_sequence) {
  std::string key;
  put_u64(key, last_sequence);
  return key;
}

inline std::string stream_key(std::uint32_t stream, std::uint64_t revision) {
  std::string key;
  put_u32(key, stream);
  put_u64(key, revision);
  return key;
}

/// Where a stream's events of one page are.
struct StreamIndexEntry {
  std::uint32_t stream;
  std::uint64_t last_revision;
  std::uint64_t first_revision;
  std::uint64_t page_last_sequence;

  std::string key() const { return stream_key(stream, last_revision); }
  std::string value() const {
    std::string out;
    put_u64(out, first_revision);
    put_u64(out, page_last_sequence);
    return out;
  }
  static std::optional<StreamIndexEntry> parse(std::string_view key, std::string_view value) {
    const auto stream = get_u32(key);
    const auto last = get_u64(key, 4);
    const auto first = get_u64(value);
    const auto page = get_u64(value, 8);
    if (!stream || !last || !first || !page) return std::nullopt;
    return StreamIndexEntry{*stream, *last, *first, *page};
  }
};

}  // namespace pievt::format
