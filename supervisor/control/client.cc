#include "supervisor/control/client.h"

#include <algorithm>
#include <cerrno>

#include <poll.h>

#include <fmt/format.h>

#include "store/log/socket.h"
#include "supervisor/launch/run_lock.h"

namespace pievt::control {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t receive_bytes_max = 1u << 20;
constexpr std::chrono::seconds soon_enough{30};

int milliseconds_until(Connection::Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

Error gone() {
  return {Errc::not_found, "its supervisor is gone"};
}

}  // namespace

Connection::Deadline soon() {
  return Clock::now() + soon_enough;
}

Result<Connection> Connection::open(const std::filesystem::path& store, std::string_view run,
                                    std::string_view program, Deadline deadline) {
  Result<Fd> socket = connect_to(launch::run_directory(store, run));
  if (!socket.ok()) {
    if (socket.error().code != Errc::not_found) return std::move(socket).error();
    return Error{Errc::not_found, fmt::format("run {} is not being supervised", run)};
  }
  Connection connection(std::move(*socket));
  connection.stream_.queue(frame_of(Hello{protocol, std::string(run), std::string(program)}));
  const auto message = PIEVT_TRY(connection.next(deadline));
  if (!message) {
    return Error{Errc::busy,
                 fmt::format("the supervisor of run {} does not answer; it may be held up by a "
                             "slow disk: try again",
                             run)};
  }
  if (const auto* answer = std::get_if<Answer>(&*message); answer && !answer->outcome.ok())
    return answer->outcome.error();
  const auto* welcome = std::get_if<Welcome>(&*message);
  if (welcome == nullptr) return Error{Errc::io, "the supervisor answers out of turn"};
  connection.welcome_ = *welcome;
  return connection;
}

Result<std::optional<Message>> Connection::next(Deadline deadline) {
  for (;;) {
    if (stream_.flush() == ByteStream::State::ended) return gone();
    if (const auto bytes = PIEVT_TRY(stream_.next_message()))
      return std::optional(PIEVT_TRY(parse(*bytes)));
    const auto events = static_cast<short>(stream_.unsent() > 0 ? POLLIN | POLLOUT : POLLIN);
    pollfd wait{stream_.fd(), events, 0};
    const int ready = ::poll(&wait, 1, milliseconds_until(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 && Clock::now() >= deadline) return std::optional<Message>();
    if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    if (stream_.receive(receive_bytes_max) == ByteStream::State::open) continue;
    const auto last = PIEVT_TRY(stream_.next_message());  // what came with the end
    if (!last) return gone();
    return std::optional(PIEVT_TRY(parse(*last)));
  }
}

Result<Answer::Done> Connection::ask(Action action, Deadline deadline) {
  const std::uint64_t number = ++last_number_;
  const wire::Frame frame = frame_of(Request{number, std::move(action)});
  if (frame.size() > request_bytes_max)
    return Error{Errc::invalid, fmt::format("a request has at most {} bytes", request_bytes_max)};
  stream_.queue(frame);
  for (;;) {
    auto message = PIEVT_TRY(next(deadline));
    if (!message) return Error{Errc::busy, "the supervisor has not answered in time"};
    if (auto* progress = std::get_if<Progress>(&*message)) {
      told_.push_back(std::move(*progress));
      continue;
    }
    auto* answer = std::get_if<Answer>(&*message);
    if (answer == nullptr) return Error{Errc::io, "the supervisor answers out of turn"};
    if (answer->number != number && answer->number != 0) continue;  // its deadline had passed
    return std::move(answer->outcome);
  }
}

Result<std::optional<Progress>> Connection::next_progress(Deadline deadline) {
  if (!told_.empty()) {
    std::optional<Progress> first = std::move(told_.front());
    told_.erase(told_.begin());
    return first;
  }
  for (;;) {
    auto message = PIEVT_TRY(next(deadline));
    if (!message) return std::optional<Progress>();
    if (auto* progress = std::get_if<Progress>(&*message))
      return std::optional(std::move(*progress));
  }
}

}  // namespace pievt::control
