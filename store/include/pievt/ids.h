// Numbers and names that mean different things have different types.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt {

template <class Tag>
struct Number {
  std::uint64_t value = 0;
  friend auto operator<=>(const Number&, const Number&) = default;
};

/// Position in the whole log, from 1, without gaps. 0: before the first event. Written `@90812`.
using Sequence = Number<struct SequenceTag>;

/// Position in one stream, from 1, without gaps. 0: the stream does not exist. Written `#812`.
using Revision = Number<struct RevisionTag>;

/// 16 bytes that name one append for ever: a UUID version 7 (RFC 9562), most significant byte
/// first.
struct AppendId {
  std::array<std::byte, 16> bytes{};
  friend auto operator<=>(const AppendId&, const AppendId&) = default;
};

/// A new id from the clock and the kernel's random numbers. Ids made by one process sort by time to
/// the millisecond. Safe to call from any thread.
AppendId new_append_id();

/// The usual text of a UUID, 36 characters.
std::string to_string(const AppendId& id);

/// Reads what to_string writes. Errc::invalid for anything else.
Result<AppendId> parse_append_id(std::string_view text);

/// An event's id for ever: the append that brought it and its place in it, from 0.
struct EventId {
  AppendId append;
  std::uint32_t index = 0;
  friend auto operator<=>(const EventId&, const EventId&) = default;
};

/// What a caller knows about a stream when it decides to append to it.
class Expected {
 public:
  /// Whatever the stream holds.
  static constexpr Expected any() { return Expected(UINT64_MAX); }
  /// The stream has at least one event.
  static constexpr Expected exists() { return Expected(UINT64_MAX - 1); }
  /// The stream has no event yet.
  static constexpr Expected no_stream() { return Expected(0); }
  /// The stream's last event has exactly this revision. exactly({0}) is no_stream().
  static constexpr Expected exactly(Revision revision) { return Expected(revision.value); }

  /// Whether a stream whose last event has `actual` is as expected.
  constexpr bool admits(Revision actual) const {
    if (code_ == UINT64_MAX) return true;
    if (code_ == UINT64_MAX - 1) return actual.value > 0;
    return code_ == actual.value;
  }

  /// How it is stored in a page: the revision, or one of the two highest numbers for exists and
  /// any.
  constexpr std::uint64_t code() const { return code_; }
  static constexpr Expected from_code(std::uint64_t code) { return Expected(code); }

  friend bool operator==(const Expected&, const Expected&) = default;

 private:
  explicit constexpr Expected(std::uint64_t code) : code_(code) {}
  std::uint64_t code_;
};

/// For messages: "any", "exists", "none" or "#812".
std::string to_string(Expected expected);

/// What has happened to an append when it is acknowledged. All levels go through one write-ahead
/// log in order, so a stronger append makes every earlier one as durable as itself.
enum class Durability : std::uint8_t {
  memory = 1,  ///< in this process's memory; lost when the process dies
  wal = 2,     ///< handed to the kernel; survives the process, lost when the machine dies
  fsync = 3,   ///< on the disk, as far as the disk tells the truth
};

}  // namespace pievt
