// Redis streams, with the append-only file synced before each answer. Spoken to in its own
// protocol (RESP), which is a few lines.
#include <fmt/format.h>

#include "bench/peers/peer.h"
#include "bench/peers/server.h"

namespace pievt::bench {
namespace {

class RedisClient final : public Client {
 public:
  explicit RedisClient(Connection connection) : connection_(std::move(connection)) {}

  void prepare(std::size_t events) override {
    if (events == prepared_) return;
    prepared_ = events;
    request_.clear();
    for (std::size_t i = 0; i < events; ++i) {
      request_ += fmt::format("*5\r\n$4\r\nXADD\r\n$5\r\nbench\r\n$1\r\n*\r\n$1\r\nd\r\n${}\r\n",
                              payload().size());
      request_ += payload();
      request_ += "\r\n";
    }
  }

  // All at once, then as many answers: "$15", the entry's id.
  Status append(std::size_t events) override {
    PIEVT_TRY(connection_.send(request_));
    for (std::size_t i = 0; i < events; ++i) {
      const std::string_view size = PIEVT_TRY(connection_.line());
      if (!size.starts_with('$')) return Error{Errc::io, fmt::format("Redis says: {}", size)};
      PIEVT_TRY(connection_.line());
    }
    return {};
  }

 private:
  Connection connection_;
  std::size_t prepared_ = 0;
  std::string request_;
};

class RedisPeer final : public Peer {
 public:
  RedisPeer(Server server, std::uint16_t port) : server_(std::move(server)), port_(port) {}
  Result<std::unique_ptr<Client>> connect() override {
    Connection connection = PIEVT_TRY(Connection::open(port_));
    return std::unique_ptr<Client>(std::make_unique<RedisClient>(std::move(connection)));
  }

 private:
  Server server_;
  std::uint16_t port_;
};

}  // namespace

Result<std::unique_ptr<Peer>> start_redis(const std::filesystem::path& directory) {
  const std::string program = PIEVT_TRY(find_server("redis-server", "redis-server"));
  const std::uint16_t port = PIEVT_TRY(free_port());
  Server server = PIEVT_TRY(Server::start(
      {program, "--bind", "127.0.0.1", "--port", std::to_string(port), "--dir", directory.string(),
       "--appendonly", "yes", "--appendfsync", "always", "--save", ""},
      directory / "server.log"));
  PIEVT_TRY(server.wait_for_port(port));
  return std::unique_ptr<Peer>(std::make_unique<RedisPeer>(std::move(server), port));
}

}  // namespace pievt::bench
