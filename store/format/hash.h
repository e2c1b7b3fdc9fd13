// The three sums of pievt and what each is for.
//
// SHA-256 is proof: the chain of commits, the comparison "same bytes" of a repeated append, the
// leaves of checkpoints. HMAC-SHA-256 under the store's key names blobs: without the key nobody can
// tell from an id in an exported log whether a guessed text was in it. CRC-32C only notices
// accidents: flipped bits and torn writes in small records of our own.
//
// The first two are OpenSSL's libcrypto behind hash.cc, the only file here that includes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"

struct evp_md_ctx_st;
struct evp_mac_ctx_st;

namespace pievt {

/// A SHA-256 or an HMAC-SHA-256.
using Digest = std::array<std::byte, 32>;

/// The store's secret for naming blobs.
using BlobKey = std::array<std::byte, 32>;

/// SHA-256 in pieces. One object hashes any number of messages one after the other, and keeping it
/// is what makes hashing small ones cheap. Movable; a moved-from object may only be assigned to or
/// destroyed. Different objects may be used by different threads.
class Sha256 {
 public:
  Sha256();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);

  /// The digest of everything since the last finish(); the object is ready for the next message.
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// HMAC-SHA-256 (RFC 2104) in pieces, under one key. As Sha256 otherwise.
class KeyedSha256 {
 public:
  explicit KeyedSha256(const BlobKey& key);

  void update(std::span<const std::byte> bytes);
  Digest finish();

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

/// SHA-256 of one message. Reuses one context per thread.
Digest sha256(std::span<const std::byte> bytes);

/// HMAC-SHA-256 of one message. Sets up the key each time: for many messages keep a KeyedSha256.
Digest hmac_sha256(const BlobKey& key, std::span<const std::byte> bytes);

/// CRC-32C (Castagnoli; RFC 3720), computed by the processor where it can. `before` is the sum of
/// the bytes that precede these, so that crc32c(b, crc32c(a)) is the sum of a followed by b.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

/// The same sum as every processor with an instruction for it can make it, and as small pieces are
/// summed by all of them.
std::uint32_t crc32c_in_lanes(std::span<const std::byte> bytes, std::uint32_t before = 0);

/// The same sum from a table, for processors without the instruction.
std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t before = 0);

/// Two lower-case digits a byte.
std::string hex(std::span<const std::byte> bytes);

/// Reads what hex() writes, in either case. Errc::invalid for an odd length or another character.
Result<std::vector<std::byte>> from_hex(std::string_view text);

/// As from_hex, for exactly 64 digits.
Result<Digest> digest_from_hex(std::string_view text);

}  // namespace pievt
