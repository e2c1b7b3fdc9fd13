#include "supervisor/control/server.h"

#include <algorithm>

#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::control {
namespace {

// More than people and tools need, and less than makes the loop slow.
constexpr std::size_t connections_max = 64;
constexpr std::size_t read_bytes_max = 256u << 10;

// Who has this much unread does not read.
constexpr std::size_t unsent_bytes_max = 1u << 20;

// Who asks for this much at once does not wait for answers.
constexpr std::size_t asked_at_once_max = 256;

}  // namespace

schema::RequesterT requester(const Client& client) {
  schema::RequesterT out;
  out.uid = client.peer.uid;
  out.pid = static_cast<std::uint32_t>(client.peer.pid);
  out.program = client.program;
  return out;
}

Result<std::unique_ptr<Server>> Server::listen(const std::filesystem::path& run_directory,
                                               std::string run, std::string program,
                                               process::Poller& poller, std::uint64_t first_token) {
  ListeningSocket socket = PIEVT_TRY(listen_on(run_directory));
  std::unique_ptr<Server> server(new Server(run_directory, std::move(run), std::move(program),
                                            poller, first_token, std::move(socket)));
  PIEVT_TRY(poller.add(server->socket_.fd.get(), process::Interest::read, first_token));
  return server;
}

Server::~Server() {
  remove_socket(directory_);
  for (auto& [id, connection] : connections_) {
    static_cast<void>(connection.stream.flush());
    static_cast<void>(poller_.remove(connection.stream.fd()));
  }
  static_cast<void>(poller_.remove(socket_.fd.get()));
}

Status Server::woken(const process::Wakeup& wakeup) {
  if (wakeup.token == first_token_) return accept_all();
  const auto found = connections_.find(wakeup.token);
  if (found == connections_.end()) return {};
  if (wakeup.readable || wakeup.closed) read(found->first, found->second);
  tend(wakeup.token);
  return {};
}

Status Server::accept_all() {
  for (;;) {
    Fd client(::accept4(socket_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return {};
    const Result<Peer> peer = peer_of(client.get());
    if (!peer.ok() || !is_trusted(*peer) || connections_.size() >= connections_max) continue;
    const ConnectionId id = next_++;
    PIEVT_TRY(poller_.add(client.get(), process::Interest::read, id));
    connections_.try_emplace(id, std::move(client), *peer);
  }
}

void Server::read(ConnectionId id, Connection& connection) {
  const bool ended = connection.stream.receive(read_bytes_max) == ByteStream::State::ended;
  for (std::size_t count = 0; !connection.broken; ++count) {
    const auto bytes = connection.stream.next_message();
    if (bytes.ok() && !*bytes) break;
    const bool too_long = bytes.ok() && (*bytes)->size() > request_bytes_max;
    auto message = !bytes.ok() ? Result<Message>(bytes.error())
                   : too_long  ? Result<Message>(Error{Errc::invalid, "a request is too long"})
                               : parse(**bytes);
    if (message.ok() && count < asked_at_once_max) {
      handle(id, connection, std::move(*message));
      continue;
    }
    const Error why =
        message.ok() ? Error{Errc::busy, "too much is asked at once"} : std::move(message).error();
    connection.stream.queue(frame_of(Answer{0, why}));
    connection.broken = true;
  }
  connection.broken = connection.broken || ended;
}

void Server::handle(ConnectionId id, Connection& connection, Message message) {
  if (const auto* hello = std::get_if<Hello>(&message)) return greet(connection, *hello);
  auto* request = std::get_if<Request>(&message);
  if (!connection.greeted || request == nullptr) {
    connection.stream.queue(
        frame_of(Answer{0, Error{Errc::invalid, "say hello first, then send requests"}}));
    connection.broken = true;
    return;
  }
  if (std::holds_alternative<Subscribe>(request->action)) connection.subscribed = true;
  if (const auto* hold = std::get_if<Hold>(&request->action)) connection.holds = hold->when_gone;
  asked_.push_back({id, connection.client, std::move(*request)});
}

void Server::greet(Connection& connection, const Hello& hello) {
  const auto refuse = [&](Errc code, std::string what) {
    connection.stream.queue(frame_of(Answer{0, Error{code, std::move(what)}}));
    connection.broken = true;
  };
  if (hello.protocol != protocol) {
    return refuse(Errc::too_new,
                  fmt::format("the run is supervised by a program that speaks version {} over its "
                              "control socket, not {}; use the same pievt for both",
                              protocol, hello.protocol));
  }
  if (hello.run != run_)
    return refuse(Errc::not_found, fmt::format("this socket is of run {}", run_));
  connection.client.program = hello.program;
  connection.greeted = true;
  connection.stream.queue(
      frame_of(Welcome{static_cast<std::uint32_t>(::getpid()), run_, program_}));
}

void Server::answer(ConnectionId to, const Answer& answer) {
  const auto found = connections_.find(to);
  if (found == connections_.end()) return;
  found->second.stream.queue(frame_of(answer));
  tend(to);
}

void Server::publish(const Progress& progress, Tell tell) {
  const wire::Frame frame = frame_of(progress);
  std::vector<ConnectionId> told;
  for (auto& [id, connection] : connections_) {
    if (!connection.subscribed) continue;
    if (tell == Tell::who_reads && connection.stream.unsent() > 0) continue;
    connection.stream.queue(frame);
    told.push_back(id);
  }
  for (const ConnectionId id : told) tend(id);
}

bool Server::has_subscribers() const {
  return std::ranges::any_of(connections_, [](const auto& item) { return item.second.subscribed; });
}

std::size_t Server::holders() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_, [](const auto& item) { return item.second.holds.has_value(); }));
}

void Server::tend(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  const bool gone = connection.stream.flush() == ByteStream::State::ended;
  const std::size_t unsent = connection.stream.unsent();
  if (gone || connection.broken || unsent > unsent_bytes_max) return let_go(found);
  const auto wanted = unsent > 0 ? process::Interest::read_and_write : process::Interest::read;
  if (wanted == connection.watched) return;
  if (!poller_.change(connection.stream.fd(), wanted, id).ok()) return let_go(found);
  connection.watched = wanted;
}

void Server::let_go(std::map<ConnectionId, Connection>::iterator at) {
  Connection& connection = at->second;
  if (connection.holds) gone_.push_back({connection.client, *connection.holds});
  static_cast<void>(poller_.remove(connection.stream.fd()));
  connections_.erase(at);
}

}  // namespace pievt::control
