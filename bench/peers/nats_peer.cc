// NATS JetStream with its file store, which answers before anything is synced. Spoken to in its own
// protocol, which is lines.
#include <charconv>
#include <fstream>

#include <fmt/format.h>

#include "bench/peers/peer.h"
#include "bench/peers/server.h"

namespace pievt::bench {
namespace {

class NatsClient final : public Client {
 public:
  explicit NatsClient(Connection connection, std::string inbox)
      : connection_(std::move(connection)), inbox_(std::move(inbox)) {}

  Status begin() {
    PIEVT_TRY(connection_.line());  // INFO
    return connection_.send(
        fmt::format("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB {} 1\r\n", inbox_));
  }

  // Publishes and waits for one answer, which may say that the stream is there already.
  Status make_stream() {
    constexpr std::string_view wanted =
        R"({"name":"BENCH","subjects":["bench"],"storage":"file","retention":"limits"})";
    PIEVT_TRY(connection_.send(fmt::format("PUB $JS.API.STREAM.CREATE.BENCH {} {}\r\n{}\r\n",
                                           inbox_, wanted.size(), wanted)));
    return answer();
  }

  void prepare(std::size_t events) override {
    if (events == prepared_) return;
    prepared_ = events;
    request_.clear();
    for (std::size_t i = 0; i < events; ++i) {
      request_ += fmt::format("PUB bench {} {}\r\n", inbox_, payload().size());
      request_ += payload();
      request_ += "\r\n";
    }
  }

  Status append(std::size_t events) override {
    PIEVT_TRY(connection_.send(request_));
    for (std::size_t i = 0; i < events; ++i) PIEVT_TRY(answer());
    return {};
  }

 private:
  // "MSG <subject> <subscription> <size>" and so many bytes of JSON.
  Status answer() {
    while (true) {
      const std::string_view line = PIEVT_TRY(connection_.line());
      if (line == "PING") {
        PIEVT_TRY(connection_.send("PONG\r\n"));
      } else if (line.starts_with("-ERR")) {
        return Error{Errc::io, fmt::format("NATS says: {}", line)};
      } else if (line.starts_with("MSG ")) {
        const std::string_view size_text = line.substr(line.rfind(' ') + 1);
        std::size_t size = 0;
        std::from_chars(size_text.data(), size_text.data() + size_text.size(), size);
        const std::string_view content = PIEVT_TRY(connection_.bytes(size + 2));
        if (content.find("\"error\"") == std::string_view::npos) return {};
        return Error{Errc::io, fmt::format("NATS says: {}", content)};
      }
    }
  }

  Connection connection_;
  std::string inbox_;
  std::size_t prepared_ = 0;
  std::string request_;
};

class NatsPeer final : public Peer {
 public:
  NatsPeer(Server server, std::uint16_t port) : server_(std::move(server)), port_(port) {}

  Result<std::unique_ptr<Client>> connect() override {
    return std::unique_ptr<Client>(PIEVT_TRY(connect_client()));
  }

  Result<std::unique_ptr<NatsClient>> connect_client() {
    Connection connection = PIEVT_TRY(Connection::open(port_));
    auto client =
        std::make_unique<NatsClient>(std::move(connection), fmt::format("_INBOX.{}", ++clients_));
    PIEVT_TRY(client->begin());
    return client;
  }

 private:
  Server server_;
  std::uint16_t port_;
  int clients_ = 0;
};

}  // namespace

Result<std::unique_ptr<Peer>> start_nats(const std::filesystem::path& directory) {
  const std::string program = PIEVT_TRY(find_server("nats-server", "nats-server"));
  const std::uint16_t port = PIEVT_TRY(free_port());
  const std::filesystem::path config = directory / "nats.conf";
  std::ofstream(config) << fmt::format(
      "host: 127.0.0.1\nport: {}\njetstream {{ store_dir: \"{}\" }}\n", port,
      (directory / "data").string());
  Server server =
      PIEVT_TRY(Server::start({program, "-c", config.string()}, directory / "server.log"));
  PIEVT_TRY(server.wait_for_port(port));
  auto peer = std::make_unique<NatsPeer>(std::move(server), port);
  const std::unique_ptr<NatsClient> first = PIEVT_TRY(peer->connect_client());
  PIEVT_TRY(first->make_stream());
  return std::unique_ptr<Peer>(std::move(peer));
}

}  // namespace pievt::bench
