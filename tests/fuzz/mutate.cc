// See mutate.h.
#include "tests/fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <random>
#include <string_view>

namespace pievt::fuzz {
namespace {

using Dice = std::mt19937_64;

// From 0 to n - 1, and 0 of nothing. The remainder and not a distribution of the library: those
// differ between libraries.
std::size_t pick(Dice& dice, std::size_t n) {
  return n == 0 ? 0 : static_cast<std::size_t>(dice() % n);
}

template <class T, std::size_t size>
const T& one_of(Dice& dice, const std::array<T, size>& choices) {
  return choices[pick(dice, size)];
}

std::ptrdiff_t at(std::size_t offset) {
  return static_cast<std::ptrdiff_t>(offset);
}

// A piece of `bytes`: mostly short, now and then any length.
std::span<const std::uint8_t> piece(Dice& dice, std::span<const std::uint8_t> bytes) {
  const std::size_t begin = pick(dice, bytes.size());
  const std::size_t rest = bytes.size() - begin;
  const std::size_t longest = dice() % 4 == 0 ? rest : std::min<std::size_t>(rest, 32);
  return bytes.subspan(begin, pick(dice, longest + 1));
}

void flip_bit(Dice& dice, Bytes& bytes) {
  if (bytes.empty()) return;
  bytes[pick(dice, bytes.size())] ^= static_cast<std::uint8_t>(1u << (dice() % 8));
}

void set_byte(Dice& dice, Bytes& bytes) {
  if (bytes.empty()) return;
  bytes[pick(dice, bytes.size())] = static_cast<std::uint8_t>(dice());
}

// Lengths, counts and offsets lie: 0, 1, the largest, the size of the input and its neighbours.
void set_number(Dice& dice, Bytes& bytes) {
  const std::size_t width = std::size_t{1} << (dice() % 4);
  if (bytes.size() < width) return;
  const std::array<std::uint64_t, 10> edges = {
      0,          1,          ~std::uint64_t{0},      bytes.size(), bytes.size() - 1,
      0x7fffffff, 0x80000000, std::uint64_t{1} << 63, dice() % 256, dice()};
  std::uint64_t number = one_of(dice, edges);
  std::size_t place = pick(dice, bytes.size() - width + 1);
  if (dice() % 2 == 0) place -= place % width;
  for (std::size_t i = 0; i < width; ++i, number >>= 8) {
    bytes[place + i] = static_cast<std::uint8_t>(number);
  }
}

// The digits of one number in text become another number.
void set_digits(Dice& dice, Bytes& bytes) {
  const auto is_digit = [](std::uint8_t c) { return c >= '0' && c <= '9'; };
  const auto from = bytes.begin() + at(pick(dice, bytes.size()));
  const auto begin = std::find_if(from, bytes.end(), is_digit);
  if (begin == bytes.end()) return;
  constexpr std::array<std::string_view, 12> numbers = {
      "0",  "-1", "1e999", "4294967296", "18446744073709551615", "18446744073709551616",
      "00", "",   "0.5",   "2147483648", "9223372036854775807",  "-9223372036854775808"};
  const std::string_view number = one_of(dice, numbers);
  const auto end = std::find_if_not(begin, bytes.end(), is_digit);
  bytes.insert(bytes.erase(begin, end), number.begin(), number.end());
}

void take_away(Dice& dice, Bytes& bytes) {
  const auto gone = piece(dice, bytes);
  const auto begin = bytes.begin() + (gone.data() - bytes.data());
  bytes.erase(begin, begin + at(gone.size()));
}

void say_again(Dice& dice, Bytes& bytes) {
  const auto said = piece(dice, bytes);
  const Bytes copy(said.begin(), said.end());
  bytes.insert(bytes.begin() + at(pick(dice, bytes.size() + 1)), copy.begin(), copy.end());
}

void borrow(Dice& dice, Bytes& bytes, const Bytes& other) {
  const auto taken = piece(dice, other);
  const std::size_t place = pick(dice, bytes.size() + 1);
  if (dice() % 2 == 0) {  // instead of what is there
    const std::size_t covered = std::min(bytes.size() - place, taken.size());
    bytes.erase(bytes.begin() + at(place), bytes.begin() + at(place + covered));
  }
  bytes.insert(bytes.begin() + at(place), taken.begin(), taken.end());
}

void insert_punctuation(Dice& dice, Bytes& bytes) {
  constexpr std::string_view marks = "{}[]\",:\\/\n\r \0\x1e\xff\xc3-+.eZ";
  const auto mark = static_cast<std::uint8_t>(marks[pick(dice, marks.size())]);
  bytes.insert(bytes.begin() + at(pick(dice, bytes.size() + 1)), mark);
}

void cut(Dice& dice, Bytes& bytes) {
  bytes.resize(pick(dice, bytes.size() + 1));
}

}  // namespace

Bytes mutate(std::span<const Bytes> corpus, std::uint64_t seed) {
  Dice dice(seed);
  Bytes bytes = corpus[pick(dice, corpus.size())];
  for (std::size_t changes = std::size_t{1} << (dice() % 4); changes > 0; --changes) {
    switch (dice() % 10) {
      case 0:
        flip_bit(dice, bytes);
        break;
      case 1:
        set_byte(dice, bytes);
        break;
      case 2:
      case 3:
        set_number(dice, bytes);
        break;
      case 4:
        set_digits(dice, bytes);
        break;
      case 5:
        take_away(dice, bytes);
        break;
      case 6:
        say_again(dice, bytes);
        break;
      case 7:
        borrow(dice, bytes, corpus[pick(dice, corpus.size())]);
        break;
      case 8:
        insert_punctuation(dice, bytes);
        break;
      default:
        if (dice() % 4 == 0) cut(dice, bytes);
    }
  }
  if (bytes.size() > input_bytes_max) bytes.resize(input_bytes_max);
  return bytes;
}

}  // namespace pievt::fuzz
