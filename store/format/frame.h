// A message as bytes with its length in front, written and read field by field: what the store's
// socket and the control socket of a run speak. Numbers are little-endian, texts have their length
// in front. Pure.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pievt/bytes.h"

namespace pievt::wire {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

/// In front of each frame: u32, the length of the message that follows.
inline constexpr std::size_t frame_prefix_bytes = 4;

using Frame = std::vector<std::byte>;

class FrameWriter {
 public:
  /// `kind`: the first byte of the message.
  template <class Kind>
  explicit FrameWriter(Kind kind) : bytes_(frame_prefix_bytes) {
    static_assert(sizeof(kind) == 1);
    number(kind);
  }

  template <class T>
  void number(T value) {
    raw(&value, sizeof(value));
  }
  void raw(const void* data, std::size_t size) {
    const auto* from = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), from, from + size);
  }
  void text(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    raw(text.data(), text.size());
  }
  void reserve(std::size_t size) { bytes_.reserve(size); }

  Frame frame() && {
    const auto size = static_cast<std::uint32_t>(bytes_.size() - frame_prefix_bytes);
    std::memcpy(bytes_.data(), &size, sizeof(size));
    return std::move(bytes_);
  }

 private:
  Frame bytes_;
};

/// Reads on as long as there is something; afterwards everything is zero and whole() says no.
class FrameReader {
 public:
  explicit FrameReader(std::span<const std::byte> bytes) : left_(bytes) {}

  template <class T>
  T number() {
    T value{};
    const auto from = take(sizeof(value));
    if (from.size() == sizeof(value)) std::memcpy(&value, from.data(), sizeof(value));
    return value;
  }
  std::string text(std::size_t max) {
    const auto size = number<std::uint32_t>();
    const auto from = take(size > max ? left_.size() + 1 : size);
    return std::string(text_of(from));
  }
  void raw(void* to, std::size_t size) {
    const auto from = take(size);
    if (!from.empty() && from.size() == size) std::memcpy(to, from.data(), size);
  }
  std::span<const std::byte> rest() { return take(left_.size()); }
  std::size_t left() const { return left_.size(); }

  /// What was read cannot be right: the rest is not read, and whole() is false.
  void fail() {
    failed_ = true;
    left_ = {};
  }

  /// Everything was there, and nothing is left over.
  bool whole() const { return !failed_ && left_.empty(); }

 private:
  std::span<const std::byte> take(std::size_t size) {
    if (failed_ || size > left_.size()) {
      fail();
      return {};
    }
    const auto taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }

  std::span<const std::byte> left_;
  bool failed_ = false;
};

}  // namespace pievt::wire
