// Somebody else who keeps events: a file, a library or a server. Each does its own best for the
// same work: an event of 240 bytes, appended, as durable as it says.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt::bench {

/// One client of a peer, for one thread.
class Client {
 public:
  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() = default;
  /// Makes the next `events` events, before the clock is started.
  virtual void prepare(std::size_t events) { static_cast<void>(events); }
  /// Appends them, and returns when they are as durable as the peer says.
  virtual Status append(std::size_t events) = 0;
};

/// Where events are kept. Gone, with its processes, when it is destroyed.
class Peer {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;
  /// Clients may be used at the same time, each in its own thread.
  virtual Result<std::unique_ptr<Client>> connect() = 0;
};

struct PeerRow {
  std::string_view key;         ///< "sqlite"
  std::string_view name;        ///< "SQLite, WAL, synchronous=FULL"
  std::string_view durability;  ///< what is true when an append returns
  /// unsupported: it is not installed, with the package that brings it. `directory` is there and
  /// empty.
  Result<std::unique_ptr<Peer>> (*start)(const std::filesystem::path& directory);
};

/// All of them; pievt first, the plain file second.
std::span<const PeerRow> all_peers();

/// 240 bytes, half of them random.
const std::string& payload();

// Each in a file of its own.
Result<std::unique_ptr<Peer>> start_pievt(const std::filesystem::path& directory);
Result<std::unique_ptr<Peer>> start_pievt_encoded(const std::filesystem::path& directory);
Result<std::unique_ptr<Peer>> start_file(const std::filesystem::path& directory);
Result<std::unique_ptr<Peer>> start_json_lines(const std::filesystem::path& directory);
Result<std::unique_ptr<Peer>> start_rocksdb(const std::filesystem::path& directory);
Result<std::unique_ptr<Peer>> start_sqlite(const std::filesystem::path& directory);
Result<std::unique_ptr<Peer>> start_lmdb(const std::filesystem::path& directory);
Result<std::unique_ptr<Peer>> start_redis(const std::filesystem::path& directory);
Result<std::unique_ptr<Peer>> start_nats(const std::filesystem::path& directory);
Result<std::unique_ptr<Peer>> start_postgresql(const std::filesystem::path& directory);

}  // namespace pievt::bench
