#include "pievt/ids.h"

#include <cstdio>
#include <ctime>

#include <sys/random.h>

namespace pievt {

AppendId new_append_id() {
  // RFC 9562, section 5.7: 48 bits of Unix milliseconds, version 7, 12 random bits, variant, 62
  // random bits.
  AppendId id;
  std::size_t have = 0;
  while (have < id.bytes.size()) {
    const ssize_t got = getrandom(id.bytes.data() + have, id.bytes.size() - have, 0);
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const auto ms = static_cast<std::uint64_t>(now.tv_sec) * 1000 +
                  static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::byte>(ms >> (40 - 8 * i));
  id.bytes[6] = (id.bytes[6] & std::byte{0x0f}) | std::byte{0x70};
  id.bytes[8] = (id.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return id;
}

std::string to_string(const AppendId& id) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    const auto byte = std::to_integer<unsigned>(id.bytes[i]);
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

Result<AppendId> parse_append_id(std::string_view text) {
  const Error bad{
      Errc::invalid,
      "not an append id: a UUID such as 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b is expected"};
  if (text.size() != 36) return bad;
  AppendId id;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return bad;
      continue;
    }
    const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (value < 0) return bad;
    std::byte& byte = id.bytes[nibble / 2];
    byte =
        nibble % 2 == 0 ? static_cast<std::byte>(value << 4) : byte | static_cast<std::byte>(value);
    ++nibble;
  }
  return id;
}

std::string to_string(Expected expected) {
  if (expected == Expected::any()) return "any";
  if (expected == Expected::exists()) return "exists";
  if (expected == Expected::no_stream()) return "none";
  return "#" + std::to_string(expected.code());
}

}  // namespace pievt
