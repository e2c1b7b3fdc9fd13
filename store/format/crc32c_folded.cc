#include "store/format/crc32c_folded.h"

#include <cstring>

#include "pievt/result.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pievt {

#if defined(__x86_64__)

namespace {

#define PIEVT_FOLD_TARGET __attribute__((target("avx512f,avx512vl,vpclmulqdq,pclmul,sse4.2")))

// x to the power of `exponent`, reduced; bits in the order of the reflected sum.
consteval std::uint64_t power_of_x(std::size_t exponent) {
  std::uint32_t power = 0x80000000u;
  for (std::size_t i = 0; i < exponent; ++i)
    power = (power >> 1) ^ ((power & 1) != 0 ? 0x82f63b78u : 0);
  return power;
}

// What moves 16 bytes on by a distance, one factor for each half. 33 because a product of reflected
// numbers is off by one, and the factor has 32 bits in a place for 64.
struct Shift {
  std::uint64_t low, high;
};
consteval Shift shift_by(std::size_t bytes) {
  return {power_of_x(8 * bytes + 64 - 33), power_of_x(8 * bytes - 33)};
}

PIEVT_FOLD_TARGET inline __m512i wide(Shift by) {
  const auto low = static_cast<long long>(by.low), high = static_cast<long long>(by.high);
  return _mm512_set4_epi64(high, low, high, low);
}

PIEVT_FOLD_TARGET inline __m512i load(const std::byte* at) {
  return _mm512_loadu_si512(at);
}

// `before`, moved on, and joined with what follows there.
PIEVT_FOLD_TARGET inline __m512i fold(__m512i before, __m512i by, __m512i next) {
  constexpr int exclusive_or_of_three = 0x96;
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(before, by, 0x00),
                                   _mm512_clmulepi64_epi128(before, by, 0x11), next,
                                   exclusive_or_of_three);
}

// The remainder of 64 bytes, 16 at a time.
PIEVT_FOLD_TARGET inline std::uint32_t remainder_of(__m512i folded) {
  constexpr Shift by = shift_by(16);
  const __m128i by_16 =
      _mm_set_epi64x(static_cast<long long>(by.high), static_cast<long long>(by.low));
  alignas(64) __m128i parts[4];
  _mm512_store_si512(parts, folded);
  __m128i sum = parts[0];
  for (int i = 1; i < 4; ++i) {
    sum = _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(sum, by_16, 0x00),
                                      _mm_clmulepi64_si128(sum, by_16, 0x11)),
                        parts[i]);
  }
  const std::uint64_t low = _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_extract_epi64(sum, 0)));
  return static_cast<std::uint32_t>(
      _mm_crc32_u64(low, static_cast<std::uint64_t>(_mm_extract_epi64(sum, 1))));
}

}  // namespace

bool has_crc32c_folded() {
  static const bool has =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("vpclmulqdq") != 0 && __builtin_cpu_supports("pclmul") != 0;
  return has;
}

PIEVT_FOLD_TARGET std::uint32_t crc32c_folded(std::span<const std::byte> bytes,
                                              std::uint32_t before) {
  PIEVT_ASSERT(bytes.size() >= crc32c_folded_bytes_min);
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  // Four registers, because each multiplication waits for the one before it.
  __m512i first = _mm512_xor_si512(
      load(at), _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(~before))));
  __m512i second = load(at + 64), third = load(at + 128), fourth = load(at + 192);
  const __m512i by_256 = wide(shift_by(256));
  for (at += 256; end - at >= 256; at += 256) {
    first = fold(first, by_256, load(at));
    second = fold(second, by_256, load(at + 64));
    third = fold(third, by_256, load(at + 128));
    fourth = fold(fourth, by_256, load(at + 192));
  }
  const __m512i by_64 = wide(shift_by(64));
  __m512i folded = fold(fold(fold(first, by_64, second), by_64, third), by_64, fourth);
  for (; end - at >= 64; at += 64) folded = fold(folded, by_64, load(at));
  std::uint64_t sum = remainder_of(folded);
  for (; end - at >= 8; at += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, at, sizeof(eight));
    sum = _mm_crc32_u64(sum, eight);
  }
  for (; at != end; ++at)
    sum = _mm_crc32_u8(static_cast<std::uint32_t>(sum), static_cast<unsigned char>(*at));
  return ~static_cast<std::uint32_t>(sum);
}

#else

bool has_crc32c_folded() {
  return false;
}

std::uint32_t crc32c_folded(std::span<const std::byte>, std::uint32_t) {
  assertion_failed("this processor has no carry-less multiplication", __FILE__, __LINE__);
}

#endif

}  // namespace pievt
