#include "store/format/hash.h"

#include <cstring>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "store/format/crc32c_folded.h"

namespace pievt {
namespace {

// OpenSSL 3 looks an algorithm up by name, under locks, whenever EVP_sha256() is used to start a
// digest; fetched once, starting costs tens of nanoseconds instead of hundreds. The fetched object
// is immutable, may be used by all threads, and lives as long as the process.
const EVP_MD* sha256_algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  PIEVT_ASSERT(algorithm != nullptr);
  return algorithm;
}

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  PIEVT_ASSERT(algorithm != nullptr);
  return algorithm;
}

const unsigned char* as_unsigned(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* as_unsigned(Digest& digest) {
  return reinterpret_cast<unsigned char*>(digest.data());
}

}  // namespace

// With a provider's digest that has been set up, these calls fail only when memory is exhausted or
// they are called out of order; both are ends of the program and not errors to hand on.

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  PIEVT_ASSERT(context_ != nullptr);
  PIEVT_ASSERT(EVP_DigestInit_ex2(context_.get(), sha256_algorithm(), nullptr) == 1);
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

void Sha256::update(std::span<const std::byte> bytes) {
  PIEVT_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

void Sha256::update(std::string_view text) {
  update(std::as_bytes(std::span(text)));
}

Digest Sha256::finish() {
  Digest digest;
  PIEVT_ASSERT(EVP_DigestFinal_ex(context_.get(), as_unsigned(digest), nullptr) == 1);
  PIEVT_ASSERT(EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) == 1);  // same algorithm again
  return digest;
}

KeyedSha256::KeyedSha256(const BlobKey& key) : context_(EVP_MAC_CTX_new(hmac_algorithm())) {
  PIEVT_ASSERT(context_ != nullptr);
  char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
      OSSL_PARAM_construct_end(),
  };
  PIEVT_ASSERT(EVP_MAC_init(context_.get(), as_unsigned(key), key.size(), parameters) == 1);
}

void KeyedSha256::Free::operator()(evp_mac_ctx_st* context) const {
  EVP_MAC_CTX_free(context);
}

void KeyedSha256::update(std::span<const std::byte> bytes) {
  PIEVT_ASSERT(EVP_MAC_update(context_.get(), as_unsigned(bytes), bytes.size()) == 1);
}

Digest KeyedSha256::finish() {
  Digest digest;
  std::size_t size = 0;
  PIEVT_ASSERT(EVP_MAC_final(context_.get(), as_unsigned(digest), &size, digest.size()) == 1);
  PIEVT_ASSERT(size == digest.size());
  PIEVT_ASSERT(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1);  // same key again
  return digest;
}

Digest sha256(std::span<const std::byte> bytes) {
  thread_local Sha256 hasher;
  hasher.update(bytes);
  return hasher.finish();
}

Digest hmac_sha256(const BlobKey& key, std::span<const std::byte> bytes) {
  KeyedSha256 hasher(key);
  hasher.update(bytes);
  return hasher.finish();
}

namespace {

constexpr std::uint32_t castagnoli_reversed = 0x82f63b78;

// tables[n][b]: what byte b contributes after n more bytes have followed it ("slicing by 8").
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

consteval CrcTables make_crc_tables() {
  CrcTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum >> 1) ^ ((sum & 1) != 0 ? castagnoli_reversed : 0);
    }
    tables[0][byte] = sum;
  }
  for (std::size_t n = 1; n < 8; ++n) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t shorter = tables[n - 1][byte];
      tables[n][byte] = (shorter >> 8) ^ tables[0][shorter & 0xff];
    }
  }
  return tables;
}

constexpr CrcTables crc_tables = make_crc_tables();

#if defined(__x86_64__)
#define PIEVT_CRC32C_TARGET __attribute__((target("sse4.2")))
bool has_crc32c_instruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}
PIEVT_CRC32C_TARGET std::uint32_t crc32c_step8(std::uint32_t sum, std::uint64_t bytes) {
  return static_cast<std::uint32_t>(__builtin_ia32_crc32di(sum, bytes));
}
PIEVT_CRC32C_TARGET std::uint32_t crc32c_step1(std::uint32_t sum, std::uint8_t byte) {
  return __builtin_ia32_crc32qi(sum, byte);
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
// Compiled for a processor that has it (all of ARMv8.1 and later), so there is nothing to ask.
#define PIEVT_CRC32C_TARGET
bool has_crc32c_instruction() {
  return true;
}
std::uint32_t crc32c_step8(std::uint32_t sum, std::uint64_t bytes) {
  return __builtin_aarch64_crc32cx(sum, bytes);
}
std::uint32_t crc32c_step1(std::uint32_t sum, std::uint8_t byte) {
  return __builtin_aarch64_crc32cb(sum, byte);
}
#endif

#if defined(PIEVT_CRC32C_TARGET)
// One instruction waits three cycles for the one before it, so a single sum uses a third of the
// processor. Three neighbouring lanes are summed side by side and then joined: what a lane's sum
// becomes when another lane's length of bytes follows is linear in its bits, hence four tables.
constexpr std::size_t crc_lane_bytes = 128;
using CrcShiftTables = std::array<std::array<std::uint32_t, 256>, 4>;

consteval CrcShiftTables make_crc_shift_tables() {
  std::array<std::uint32_t, 32> of_bit{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t sum = std::uint32_t{1} << bit;
    for (std::size_t n = 0; n < crc_lane_bytes; ++n) sum = (sum >> 8) ^ crc_tables[0][sum & 0xff];
    of_bit[bit] = sum;
  }
  CrcShiftTables tables{};
  for (std::size_t at = 0; at < 4; ++at) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if ((byte >> bit & 1) != 0) tables[at][byte] ^= of_bit[8 * at + bit];
      }
    }
  }
  return tables;
}

constexpr CrcShiftTables crc_shift_tables = make_crc_shift_tables();

std::uint32_t followed_by_lane(std::uint32_t sum) {
  return crc_shift_tables[0][sum & 0xff] ^ crc_shift_tables[1][(sum >> 8) & 0xff] ^
         crc_shift_tables[2][(sum >> 16) & 0xff] ^ crc_shift_tables[3][sum >> 24];
}

std::uint64_t eight_bytes(const std::byte* at) {
  std::uint64_t eight;
  std::memcpy(&eight, at, sizeof(eight));
  return eight;
}

PIEVT_CRC32C_TARGET std::uint32_t crc32c_instruction(std::span<const std::byte> bytes,
                                                     std::uint32_t before) {
  std::uint32_t sum = ~before;
  while (bytes.size() >= 3 * crc_lane_bytes) {
    std::uint32_t second = 0;
    std::uint32_t third = 0;
    for (const std::byte* at = bytes.data(); at != bytes.data() + crc_lane_bytes; at += 8) {
      sum = crc32c_step8(sum, eight_bytes(at));
      second = crc32c_step8(second, eight_bytes(at + crc_lane_bytes));
      third = crc32c_step8(third, eight_bytes(at + 2 * crc_lane_bytes));
    }
    sum = followed_by_lane(followed_by_lane(sum) ^ second) ^ third;
    bytes = bytes.subspan(3 * crc_lane_bytes);
  }
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    sum = crc32c_step8(sum, eight_bytes(bytes.data()));
  }
  for (const std::byte byte : bytes) sum = crc32c_step1(sum, static_cast<std::uint8_t>(byte));
  return ~sum;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t before) {
  const auto at = [&bytes](std::size_t i) { return static_cast<std::uint32_t>(bytes[i]); };
  std::uint32_t sum = ~before;
  while (bytes.size() >= 8) {
    sum ^= at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24;
    sum = crc_tables[7][sum & 0xff] ^ crc_tables[6][(sum >> 8) & 0xff] ^
          crc_tables[5][(sum >> 16) & 0xff] ^ crc_tables[4][sum >> 24] ^ crc_tables[3][at(4)] ^
          crc_tables[2][at(5)] ^ crc_tables[1][at(6)] ^ crc_tables[0][at(7)];
    bytes = bytes.subspan(8);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum = (sum >> 8) ^ crc_tables[0][(sum ^ at(i)) & 0xff];
  }
  return ~sum;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
  if (bytes.size() >= crc32c_folded_bytes_min && has_crc32c_folded())
    return crc32c_folded(bytes, before);
  return crc32c_in_lanes(bytes, before);
}

std::uint32_t crc32c_in_lanes(std::span<const std::byte> bytes, std::uint32_t before) {
#if defined(PIEVT_CRC32C_TARGET)
  if (has_crc32c_instruction()) return crc32c_instruction(bytes, before);
#endif
  return crc32c_portable(bytes, before);
}

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

// The value of a digit, or 16 for what is none.
unsigned hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A') + 10;
  return 16;
}

}  // namespace

std::string hex(std::span<const std::byte> bytes) {
  std::string text(bytes.size() * 2, '0');
  char* at = text.data();
  for (const std::byte byte : bytes) {
    const auto value = static_cast<unsigned>(byte);
    *at++ = hex_digits[value >> 4];
    *at++ = hex_digits[value & 15];
  }
  return text;
}

Result<std::vector<std::byte>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return Error{Errc::invalid, fmt::format("hexadecimal text of odd length {}", text.size())};
  }
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const unsigned high = hex_value(text[i]);
    const unsigned low = hex_value(text[i + 1]);
    if (high > 15 || low > 15) {
      return Error{Errc::invalid,
                   fmt::format("no hexadecimal digit at position {}", high > 15 ? i : i + 1)};
    }
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return bytes;
}

Result<Digest> digest_from_hex(std::string_view text) {
  Digest digest;
  if (text.size() != digest.size() * 2) {
    return Error{Errc::invalid,
                 fmt::format("a digest has 64 hexadecimal digits, not {}", text.size())};
  }
  const std::vector<std::byte> bytes = PIEVT_TRY(from_hex(text));
  std::memcpy(digest.data(), bytes.data(), digest.size());
  return digest;
}

}  // namespace pievt
