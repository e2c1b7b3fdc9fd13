#include "store/log/server.h"

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <thread>
#include <vector>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/log/byte_stream.h"
#include "store/log/socket.h"
#include "store/log/writer_role.h"

namespace pievt {
namespace {

using Clock = std::chrono::steady_clock;

// What one round takes from one connection, so that one client cannot keep the others waiting. A
// frame larger than this takes several rounds to come in.
constexpr std::size_t round_bytes_max = 4u << 20;
constexpr std::size_t round_requests_max = 1024;

// Answers are small: a client with this many unread ones has stopped reading.
constexpr std::size_t unsent_bytes_max = 1u << 20;

// How soon a SOCKET or a LOCK that somebody deleted is there again.
constexpr std::chrono::milliseconds name_check_interval{1'000};

struct Connection {
  Connection(Fd socket, Peer process) : stream(std::move(socket)), peer(process) {}
  ByteStream stream;
  Peer peer;
  std::uint32_t actor = 0;  ///< 0: has not said hello yet
  bool more = false;        ///< messages are left from the last round
  bool broken = false;
  std::uint32_t watched = EPOLLIN;
};

struct Request {
  Connection* from;
  wire::Append message;
};

}  // namespace

struct Server::Impl {
  Impl(WriterRole& writer, StorePlace where) : role(writer), place(std::move(where)) {}

  WriterRole& role;
  StorePlace place;
  ListeningSocket socket;
  Fd epoll, bell;
  std::map<int, Connection> connections;
  Clock::time_point names_checked = Clock::now();
  std::atomic<bool> over = false;
  std::thread thread;

  Status watch(int fd);
  void run();
  int timeout_ms();
  void check_names();
  void accept_all();
  static void receive(Connection& connection, std::uint32_t what);
  void read_messages(Connection& connection, std::vector<Request>& requests);
  void handle(Connection& connection, wire::Message message, std::vector<Request>& requests);
  void greet(Connection& connection, const wire::Hello& hello);
  void store_value(Connection& connection, const wire::Put& put);
  void commit(std::vector<Request>& requests);
  void tend();
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Server>> Server::start(WriterRole& role, const StorePlace& place) {
  auto impl = std::make_unique<Impl>(role, place);
  impl->socket = PIEVT_TRY(listen_on(place.directory));
  impl->epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  impl->bell = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!impl->epoll || !impl->bell) return os_error(Errc::io, "cannot serve the store", errno);
  PIEVT_TRY(impl->watch(impl->socket.fd.get()));
  PIEVT_TRY(impl->watch(impl->bell.get()));
  impl->thread = std::thread([server = impl.get()] { server->run(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() {
  remove_socket(impl_->place.directory);
  impl_->over = true;
  ring();
  impl_->thread.join();
}

void Server::ring() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(impl_->bell.get(), &one, sizeof(one)));
}

Status Server::Impl::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return os_error(Errc::io, "cannot watch a socket", errno);
}

void Server::Impl::run() {
  std::array<epoll_event, 128> events{};
  while (!over) {
    const int count = ::epoll_wait(epoll.get(), events.data(), events.size(), timeout_ms());
    role.wake_owed();
    check_names();
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == bell.get()) {
        std::uint64_t rung = 0;
        static_cast<void>(::read(fd, &rung, sizeof(rung)));
      } else if (fd == socket.fd.get()) {
        accept_all();
      } else if (const auto found = connections.find(fd); found != connections.end()) {
        receive(found->second, events[static_cast<std::size_t>(i)].events);
      }
    }
    std::vector<Request> requests;
    for (auto& [fd, connection] : connections) read_messages(connection, requests);
    commit(requests);
    tend();
  }
}

int Server::Impl::timeout_ms() {
  for (const auto& [fd, connection] : connections) {
    if (connection.more) return 0;
  }
  const auto owed = role.wake_owed_at();
  const auto next_check = names_checked + name_check_interval;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      (owed ? std::min(*owed, next_check) : next_check) - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

// SOCKET and LOCK are derived: whoever deletes them keeps newcomers out, but only for a moment.
void Server::Impl::check_names() {
  if (Clock::now() - names_checked < name_check_interval) return;
  names_checked = Clock::now();
  static_cast<void>(role.keep_lock());
  if (socket_is_there(place.directory, socket)) return;
  Result<ListeningSocket> again = listen_on(place.directory);
  if (!again.ok() || !watch(again->fd.get()).ok()) return;
  socket = std::move(*again);
}

void Server::Impl::accept_all() {
  for (;;) {
    Fd client(::accept4(socket.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return;
    const Result<Peer> peer = peer_of(client.get());
    if (!peer.ok() || !is_trusted(*peer) || !watch(client.get()).ok()) continue;
    const int fd = client.get();
    connections.try_emplace(fd, std::move(client), *peer);
  }
}

void Server::Impl::receive(Connection& connection, std::uint32_t what) {
  if ((what & ~std::uint32_t{EPOLLOUT}) == 0) return;  // tend() sends what waits
  if (connection.stream.receive(round_bytes_max) == ByteStream::State::ended)
    connection.broken = true;
}

void Server::Impl::read_messages(Connection& connection, std::vector<Request>& requests) {
  connection.more = false;
  while (!connection.broken) {
    if (requests.size() >= round_requests_max) {
      connection.more = true;
      return;
    }
    const auto bytes = connection.stream.next_message();
    if (bytes.ok() && !*bytes) return;
    auto message = bytes.ok() ? wire::parse(**bytes) : Result<wire::Message>(bytes.error());
    if (message.ok()) {
      handle(connection, std::move(*message), requests);
    } else {
      connection.stream.queue(wire::frame_of(wire::Refused{0, message.error()}));
      connection.broken = true;
    }
  }
}

void Server::Impl::handle(Connection& connection, wire::Message message,
                          std::vector<Request>& requests) {
  if (const auto* hello = std::get_if<wire::Hello>(&message)) return greet(connection, *hello);
  if (connection.actor == 0) {
    connection.broken = true;
  } else if (const auto* put = std::get_if<wire::Put>(&message)) {
    store_value(connection, *put);
  } else if (auto* append = std::get_if<wire::Append>(&message)) {
    if (append->epoch == role.epoch()) {
      requests.push_back({&connection, std::move(*append)});
    } else {
      connection.stream.queue(wire::frame_of(wire::Refused{
          append->number, {Errc::fenced, "the append was meant for an earlier writer"}}));
    }
  } else {
    connection.broken = true;
  }
}

void Server::Impl::greet(Connection& connection, const wire::Hello& hello) {
  const auto refuse = [&](Errc code, std::string what) {
    connection.stream.queue(wire::frame_of(wire::Refused{0, {code, std::move(what)}}));
    connection.broken = true;
  };
  if (hello.protocol != wire::protocol) {
    return refuse(Errc::too_new, fmt::format("the store is written by a program that speaks "
                                             "version {} over its socket, not {}; use the same "
                                             "pievt for both",
                                             wire::protocol, hello.protocol));
  }
  if (hello.store != place.identity.bytes())
    return refuse(Errc::invalid, "this socket is of another store");
  if (connection.actor == 0) {
    const auto actor = role.declare_actor(describe_process(connection.peer.pid, hello.program),
                                          connection.peer.uid);
    if (!actor.ok()) return refuse(actor.error().code, actor.error().what);
    connection.actor = *actor;
  }
  connection.stream.queue(wire::frame_of(wire::Welcome{role.epoch(), connection.actor}));
}

// Handed to the kernel before it is answered: the event that will refer to the value may come to
// the log by way of another writer, when this one is dead.
void Server::Impl::store_value(Connection& connection, const wire::Put& put) {
  const Family family = put.shelf == wire::Shelf::blobs ? Family::blobs : Family::projections;
  const Status stored = role.put(family, put.key, put.value, Durability::wal);
  connection.stream.queue(stored.ok() ? wire::frame_of(wire::Done{put.number, {}})
                                      : wire::frame_of(wire::Refused{put.number, stored.error()}));
}

void Server::Impl::commit(std::vector<Request>& requests) {
  std::vector<GroupMember> members;
  members.reserve(requests.size());
  for (Request& request : requests) {
    members.push_back({&request.message.append.impl(), request.from->actor, Appended{}});
  }
  role.append_all(members);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::uint64_t number = requests[i].message.number;
    Result<Appended>& result = members[i].result;
    requests[i].from->stream.queue(
        result.ok() ? wire::frame_of(wire::Done{number, std::move(*result)})
                    : wire::frame_of(wire::Refused{number, std::move(result).error()}));
  }
}

// Sends what waited, stops listening to those who do not, and lets go of those who are gone.
void Server::Impl::tend() {
  for (auto at = connections.begin(); at != connections.end();) {
    Connection& connection = at->second;
    const bool gone = connection.stream.flush() == ByteStream::State::ended;
    if (gone || connection.broken) {
      at = connections.erase(at);
      continue;
    }
    const std::size_t unsent = connection.stream.unsent();
    std::uint32_t wanted = unsent > unsent_bytes_max ? 0u : std::uint32_t{EPOLLIN};
    if (unsent > 0) wanted |= EPOLLOUT;
    if (wanted != connection.watched) {
      epoll_event event{};
      event.events = connection.watched = wanted;
      event.data.fd = at->first;
      static_cast<void>(::epoll_ctl(epoll.get(), EPOLL_CTL_MOD, at->first, &event));
    }
    ++at;
  }
}

}  // namespace pievt
