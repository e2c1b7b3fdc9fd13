#include "bench/peers/peer.h"

#include <array>

#include "tools/measure/events.h"

namespace pievt::bench {
namespace {

constexpr std::array rows = {
    PeerRow{"pievt", "pievt", "on the disk", start_pievt},
    PeerRow{"file", "write + fdatasync of the same bytes", "on the disk", start_file},
    PeerRow{"pievt-encoded", "pievt, encoded and hashed before", "on the disk",
            start_pievt_encoded},
    PeerRow{"rocksdb", "RocksDB, sync", "on the disk", start_rocksdb},
    PeerRow{"sqlite", "SQLite, WAL, synchronous=FULL", "on the disk", start_sqlite},
    PeerRow{"lmdb", "LMDB", "on the disk", start_lmdb},
    PeerRow{"json-lines", "JSON lines, write + fsync", "on the disk", start_json_lines},
    PeerRow{"redis", "Redis stream, appendfsync always", "on the disk", start_redis},
    PeerRow{"nats", "NATS JetStream, file store", "handed to the kernel (synced every 2 minutes)",
            start_nats},
    PeerRow{"postgresql", "PostgreSQL, synchronous_commit", "on the disk", start_postgresql},
};

}  // namespace

std::span<const PeerRow> all_peers() {
  return rows;
}

const std::string& payload() {
  static const std::string bytes = measure::peer_bytes(measure::event_bytes);
  return bytes;
}

}  // namespace pievt::bench
