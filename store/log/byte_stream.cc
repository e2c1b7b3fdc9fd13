#include "store/log/byte_stream.h"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

namespace pievt {
namespace {

constexpr std::size_t read_bytes = 64u << 10;

bool is_for_later(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

ByteStream::State ByteStream::receive(std::size_t max) {
  if (in_at_ > 0) {
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(in_at_));
    in_at_ = 0;
  }
  room_.resize(read_bytes);
  for (std::size_t taken = 0; taken < max;) {
    const std::size_t want = std::min(read_bytes, max - taken);
    const ssize_t got = ::recv(socket_.get(), room_.data(), want, 0);
    if (got < 0) return is_for_later(errno) ? State::open : State::ended;
    if (got == 0) return State::ended;
    in_.insert(in_.end(), room_.begin(), room_.begin() + got);
    taken += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < want) break;
  }
  return State::open;
}

Result<std::optional<std::span<const std::byte>>> ByteStream::next_message() {
  const auto message = PIEVT_TRY(wire::first_message(std::span(in_).subspan(in_at_)));
  if (message) in_at_ += wire::prefix_bytes + message->size();
  return message;
}

ByteStream::State ByteStream::flush() {
  while (unsent() > 0) {
    const ssize_t sent =
        ::send(socket_.get(), out_.data() + out_at_, out_.size() - out_at_, MSG_NOSIGNAL);
    if (sent < 0) return is_for_later(errno) ? State::open : State::ended;
    out_at_ += static_cast<std::size_t>(sent);
  }
  out_.clear();
  out_at_ = 0;
  return State::open;
}

}  // namespace pievt
