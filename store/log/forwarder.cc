#include "store/log/forwarder.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <random>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/log/socket.h"

namespace pievt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t receive_bytes_max = 4u << 20;

// About every 2 ms, and not all who wait at the same moment. The kernel tells nobody that a lock
// has become free: waiting inside fcntl knows no deadline, so asking again is all there is.
std::chrono::microseconds pause_between_tries() {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::chrono::microseconds(1500 + random() % 1000);
}

int milliseconds_until(Forwarder::Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

std::int64_t wall_now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

struct Forwarder::Pending {
  enum class What : std::uint8_t { append, put };
  What what = What::append;
  wire::Frame frame;
  std::optional<Result<Appended>> answer;
  std::condition_variable changed;
};

Forwarder::Forwarder(StorePlace place, std::function<Result<Succession>()> succeed)
    : place_(std::move(place)),
      succeed_(std::move(succeed)),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Error Forwarder::busy() const {
  return {Errc::busy, busy_sentence(place_.directory, WriterLock::current_owner(place_.directory),
                                    wall_now_ns())};
}

Result<Forwarder::Joined> Forwarder::join(Seats seats, Deadline deadline) {
  for (;;) {
    if (PIEVT_TRY(succeed_()) == Succession::took_over) {
      succeeded_ = true;
      return Joined::as_writer;
    }
    if (seats == Seats::both) {
      auto greeted = PIEVT_TRY(greet(deadline));
      connection_ = std::move(greeted);
    }
    if (connection_) return Joined::as_client;
    if (Clock::now() >= deadline) return busy();
    std::this_thread::sleep_for(pause_between_tries());
  }
}

// Says hello and waits for the answer. Nothing: there is no writer to talk to now.
Result<std::optional<Forwarder::Connection>> Forwarder::greet(Deadline deadline) const {
  Result<Fd> socket = connect_to(place_.directory);
  if (!socket.ok()) {
    if (socket.error().code == Errc::not_found) return std::optional<Connection>();
    return std::move(socket).error();
  }
  Connection connection{ByteStream(std::move(*socket)), 0, false};
  ByteStream& stream = connection.stream;
  stream.queue(
      wire::frame_of(wire::Hello{wire::protocol, place_.identity.bytes(), place_.program}));
  if (stream.flush() == ByteStream::State::ended) return std::optional<Connection>();
  for (;;) {
    pollfd wait{stream.fd(), POLLIN, 0};
    if (::poll(&wait, 1, milliseconds_until(deadline)) == 0) return std::optional<Connection>();
    const auto state = stream.receive(receive_bytes_max);
    if (const auto bytes = PIEVT_TRY(stream.next_message())) {
      const wire::Message message = PIEVT_TRY(wire::parse(*bytes));
      if (const auto* refused = std::get_if<wire::Refused>(&message)) return refused->error;
      const auto* welcome = std::get_if<wire::Welcome>(&message);
      if (welcome == nullptr) return Error{Errc::io, "the store's writer answers out of turn"};
      connection.epoch = welcome->epoch;
      return std::optional(std::move(connection));
    }
    if (state == ByteStream::State::ended) return std::optional<Connection>();
  }
}

Result<std::optional<Appended>> Forwarder::append(const EncodedAppend::Impl& append,
                                                  Deadline deadline) {
  Pending pending;
  pending.frame = wire::frame_of(append);
  auto answer = PIEVT_TRY(request(pending, deadline));
  if (!answer) return answer;
  std::uint64_t known = acknowledged_;
  while (known < answer->last.value &&
         !acknowledged_.compare_exchange_weak(known, answer->last.value)) {
  }
  return answer;
}

Result<std::optional<Unit>> Forwarder::put(wire::Shelf shelf, std::string_view key,
                                           std::string_view value, Deadline deadline) {
  if (value.size() > limits::append_bytes_max)
    return Error{Errc::invalid, "a value is too large to be sent to the store's writer"};
  Pending pending;
  pending.what = Pending::What::put;
  pending.frame = wire::frame_of(wire::Put{0, shelf, std::string(key), std::string(value)});
  const auto answer = PIEVT_TRY(request(pending, deadline));
  return answer ? std::optional(Unit{}) : std::optional<Unit>();
}

Result<std::optional<Appended>> Forwarder::request(Pending& pending, Deadline deadline) {
  Lock lock(mutex_);
  if (succeeded_) return std::optional<Appended>();
  const std::uint64_t number = ++last_number_;
  wire::set_number(pending.frame, number);
  pending_.emplace(number, &pending);
  if (connection_ && !connection_->broken) {
    send(pending);
    if (connection_->broken || connection_->stream.unsent() > 0) ring();
  }
  while (!pending.answer && !succeeded_ && Clock::now() < deadline) {
    if (driven_) {
      pending.changed.wait_until(lock, deadline);
      continue;
    }
    driven_ = true;
    drive(lock, pending, deadline);
    driven_ = false;
  }
  pending_.erase(number);
  if (!driven_ && !pending_.empty()) pending_.begin()->second->changed.notify_one();
  if (pending.answer) {
    if (!pending.answer->ok()) return std::move(*pending.answer).error();
    return std::optional(**std::move(pending.answer));
  }
  if (succeeded_) return std::optional<Appended>();
  return busy();
}

void Forwarder::drive(Lock& lock, const Pending& self, Deadline deadline) {
  while (!self.answer && !succeeded_ && Clock::now() < deadline) {
    if (connection_ && connection_->broken) connection_.reset();
    if (connection_) {
      exchange(lock, deadline);
    } else {
      reconnect(lock, deadline);
    }
  }
}

// Takes the dead writer's place, or finds who has, and sends again what is not answered.
void Forwarder::reconnect(Lock& lock, Deadline deadline) {
  lock.unlock();
  const Result<Succession> succession = succeed_();
  Result<std::optional<Connection>> connection = std::optional<Connection>();
  if (succession.ok() && *succession == Succession::somebody_has_it) {
    connection = greet(deadline);
    if (connection.ok() && !*connection) std::this_thread::sleep_for(pause_between_tries());
  }
  lock.lock();
  if (!succession.ok()) return answer_all(succession.error());
  if (!connection.ok()) return answer_all(connection.error());
  if (*succession == Succession::took_over) {
    succeeded_ = true;
    for (const auto& [number, pending] : pending_) pending->changed.notify_one();
  } else if (*connection) {
    connection_ = std::move(*connection);
    for (const auto& [number, pending] : pending_) {
      if (!pending->answer && !connection_->broken) send(*pending);
    }
  }
}

// Waits for something to come or to go, without the lock, and does both.
void Forwarder::exchange(Lock& lock, Deadline deadline) {
  const bool to_send = connection_->stream.unsent() > 0;
  const auto events = static_cast<short>(to_send ? POLLIN | POLLOUT : POLLIN);
  std::array<pollfd, 2> wait{pollfd{connection_->stream.fd(), events, 0},
                             pollfd{bell_.get(), POLLIN, 0}};
  lock.unlock();
  static_cast<void>(::poll(wait.data(), wait.size(), milliseconds_until(deadline)));
  std::uint64_t rung = 0;
  if (wait[1].revents != 0) static_cast<void>(::read(bell_.get(), &rung, sizeof(rung)));
  lock.lock();
  ByteStream& stream = connection_->stream;
  if (stream.flush() == ByteStream::State::ended) connection_->broken = true;
  if (stream.receive(receive_bytes_max) == ByteStream::State::ended) connection_->broken = true;
  for (;;) {
    const auto bytes = stream.next_message();
    if (bytes.ok() && !*bytes) return;
    auto message = bytes.ok() ? wire::parse(**bytes) : Result<wire::Message>(bytes.error());
    if (!message.ok()) {
      connection_->broken = true;
      return answer_all(message.error());
    }
    deliver(std::move(*message));
  }
}

void Forwarder::send(Pending& pending) {
  if (pending.what == Pending::What::append) wire::set_epoch(pending.frame, connection_->epoch);
  connection_->stream.queue(pending.frame);
  if (connection_->stream.flush() == ByteStream::State::ended) connection_->broken = true;
}

void Forwarder::deliver(wire::Message message) {
  const auto* done = std::get_if<wire::Done>(&message);
  const auto* refused = std::get_if<wire::Refused>(&message);
  if (done == nullptr && refused == nullptr)
    return answer_all({Errc::io, "the store's writer answers out of turn"});
  // Number 0: what was sent makes no sense to the writer, and would not when sent again.
  if (refused != nullptr && refused->number == 0) return answer_all(refused->error);
  const auto found = pending_.find(done != nullptr ? done->number : refused->number);
  if (found == pending_.end()) return;  // its deadline had passed
  if (done != nullptr) {
    answer(*found->second, done->appended);
  } else {
    answer(*found->second, refused->error);
  }
}

void Forwarder::answer(Pending& pending, Result<Appended> result) {
  pending.answer = std::move(result);
  pending.changed.notify_one();
}

void Forwarder::answer_all(const Error& error) {
  for (const auto& [number, pending] : pending_) {
    if (!pending->answer) answer(*pending, error);
  }
}

void Forwarder::ring() const {
  const std::uint64_t one = 1;
  static_cast<void>(::write(bell_.get(), &one, sizeof(one)));
}

}  // namespace pievt
