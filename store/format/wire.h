// What processes say to each other over a store's SOCKET: a frame is its length and a message.
//
//   client                                   writer
//   Hello   who I am, which store       ->
//                                       <-   Welcome   the writer's period, your number in stamps
//   Append  an encoded append           ->
//                                       <-   Done      where it is       or Refused
//   Put     a value that is no event    ->
//                                       <-   Done                        or Refused
//
// Requests carry a number of the client's choice, and answers repeat it, so any number can be on
// their way. Numbers are little-endian. Both ends are of one user on one machine, but nothing here
// trusts the bytes: every length is checked before it is believed, and an append is put together by
// the same rules as one made here. Pure: bytes in, values out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "pievt/limits.h"
#include "pievt/log.h"
#include "store/format/codec.h"

namespace pievt::wire {

inline constexpr std::uint32_t protocol = 1;

/// The largest append with its names and counts, and some room.
inline constexpr std::size_t frame_bytes_max = limits::append_bytes_max + (2u << 20);

/// In front of each frame: u32, the length of the message that follows.
inline constexpr std::size_t prefix_bytes = 4;

struct Hello {
  std::uint32_t protocol = wire::protocol;
  std::array<std::byte, 16> store{};  ///< the store's id: a socket may be of another one by now
  std::string program;                ///< for people
};

struct Welcome {
  std::uint64_t epoch = 0;  ///< the writer's period; repeated in every append
  std::uint32_t actor = 0;  ///< the number this client's events have in their stamps
};

struct Append {
  std::uint64_t number = 0;
  std::uint64_t epoch = 0;
  EncodedAppend append;
};

/// Which values besides events may be put: content addressed or derived, so that no order matters.
enum class Shelf : std::uint8_t { blobs = 1, projections = 2 };

struct Put {
  std::uint64_t number = 0;
  Shelf shelf = Shelf::blobs;
  std::string key;
  std::string value;
};

struct Done {
  std::uint64_t number = 0;
  Appended appended;  ///< without streams: it was a Put
};

struct Refused {
  std::uint64_t number = 0;
  Error error;
};

using Message = std::variant<Hello, Welcome, Append, Put, Done, Refused>;

using Frame = std::vector<std::byte>;

Frame frame_of(const Hello& hello);
Frame frame_of(const Welcome& welcome);
/// An append is sent as it lies in memory; making a message of it would copy it once more.
Frame frame_of(const EncodedAppend::Impl& append);
Frame frame_of(const Put& put);
Frame frame_of(const Done& done);
Frame frame_of(const Refused& refused);

/// Gives a frame of a request that is made already its number, or the period of another writer
/// (appends only).
void set_number(Frame& request, std::uint64_t number);
void set_epoch(Frame& append, std::uint64_t epoch);

/// The message of the first frame of `bytes`, without its prefix; nothing while it is incomplete.
/// invalid: the length cannot be.
Result<std::optional<std::span<const std::byte>>> first_message(std::span<const std::byte> bytes);

/// invalid: not a message of this protocol, or one that breaks a bound.
Result<Message> parse(std::span<const std::byte> message);

}  // namespace pievt::wire
