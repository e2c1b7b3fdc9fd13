// What two sequences have in common, in order: the core of `pievt diff`, for the steps of an
// attempt and for the lines of a text. Items are compared by a key of 64 bits that the caller makes
// of what counts about them.
//
// Equal beginnings and ends are taken off first, then items that occur once in both are anchors
// (patience), and what is left between anchors is aligned by Myers' shortest edit script as long as
// that is cheap. So a million items that differ in a few take linear time, and two that have
// nothing in common are said to have nothing in common, soon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pievt::tools {

struct Edit {
  enum class Kind : std::uint8_t { same, removed, added };
  Kind kind = Kind::same;
  std::size_t a = 0;  ///< first item in a (of `added`: where in a it would stand)
  std::size_t b = 0;  ///< first item in b
  std::size_t count = 0;
  friend bool operator==(const Edit&, const Edit&) = default;
};

/// An edit script from `a` to `b`: in order, without gaps, neighbours of different kinds. Removed
/// stands before added.
std::vector<Edit> align(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b);

/// A key that is the same for the same text on every machine.
std::uint64_t key_of(std::string_view text, std::uint64_t seed = 0);

/// The unified form of the difference between two texts, without file names: hunks with `context`
/// lines around, each line with its mark. Empty where they are equal.
std::vector<std::string> text_difference(std::string_view a, std::string_view b,
                                         std::size_t context = 3);

}  // namespace pievt::tools
