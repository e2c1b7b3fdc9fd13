// A non-blocking socket as bytes, for both ends: whole messages come out, and what cannot be sent
// at once is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "store/format/wire.h"
#include "store/log/fd.h"

namespace pievt {

/// Bytes of a non-blocking socket, both ways. One thread.
class ByteStream {
 public:
  explicit ByteStream(Fd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }

  enum class State : std::uint8_t { open, ended };

  /// Reads what is there, at most `max` bytes. Ended: the other end is gone.
  State receive(std::size_t max);

  /// The next whole message that has come in, or nothing. Valid until the next call of receive().
  /// invalid: what came is no frame.
  Result<std::optional<std::span<const std::byte>>> next_message();

  /// Puts bytes in line to be sent by the next flush().
  void queue(std::span<const std::byte> bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }

  /// Sends as much as goes without waiting and keeps the rest.
  State flush();

  /// Bytes that could not be sent yet.
  std::size_t unsent() const { return out_.size() - out_at_; }

 private:
  Fd socket_;
  std::vector<std::byte> in_, room_;
  std::size_t in_at_ = 0;  ///< up to here it has been given out
  std::vector<std::byte> out_;
  std::size_t out_at_ = 0;
};

}  // namespace pievt
