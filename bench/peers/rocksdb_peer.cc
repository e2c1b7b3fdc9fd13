#include "bench/peers/rocksdb_peer.h"

#include <atomic>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include "bench/peers/peer.h"
#include "pievt/limits.h"
#include "store/format/keys.h"
#include "tools/measure/events.h"

namespace pievt::bench {
namespace {

Status check(const rocksdb::Status& status) {
  if (status.ok()) return {};
  return Error{Errc::io, fmt::format("RocksDB by itself: {}", status.ToString())};
}

// One value an append, of as many bytes as our page has.
class RocksClient final : public Client {
 public:
  RocksClient(rocksdb::DB& db, std::atomic<std::uint64_t>& next) : db_(db), next_(next) {}

  void prepare(std::size_t events) override {
    if (bytes_.size() == measure::page_bytes(events)) return;
    bytes_ = measure::peer_bytes(measure::page_bytes(events));
  }

  Status append(std::size_t) override {
    rocksdb::WriteOptions options;
    options.sync = true;
    return check(db_.Put(options, format::log_key(++next_), bytes_));
  }

 private:
  rocksdb::DB& db_;
  std::atomic<std::uint64_t>& next_;
  std::string bytes_;
};

class RocksPeer final : public Peer {
 public:
  explicit RocksPeer(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}
  Result<std::unique_ptr<Client>> connect() override {
    return std::unique_ptr<Client>(std::make_unique<RocksClient>(*db_, next_));
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<std::uint64_t> next_ = 0;
};

}  // namespace

// The options of store/log/rocks.cc, without column families.
Result<std::unique_ptr<Peer>> start_rocksdb(const std::filesystem::path& directory) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.max_total_wal_size = limits::wal_bytes_max;
  options.recycle_log_file_num = 0;
  options.manual_wal_flush = true;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kZSTD;
  options.write_buffer_size = 16 << 20;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = 128 << 10;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  PIEVT_TRY(check(rocksdb::DB::Open(options, directory.string(), &db)));
  return std::unique_ptr<Peer>(std::make_unique<RocksPeer>(std::unique_ptr<rocksdb::DB>(db)));
}

struct RawScan::Impl {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::ColumnFamilyHandle* log = nullptr;
  ~Impl() {
    for (auto* handle : handles) static_cast<void>(db->DestroyColumnFamilyHandle(handle));
  }
};

// Read-only is right here, and only here: the store is closed and nobody else knows of it.
Result<RawScan> RawScan::open(const std::filesystem::path& store) {
  auto impl = std::make_unique<Impl>();
  rocksdb::Options options;
  const std::string directory = (store / "log").string();
  std::vector<std::string> names;
  PIEVT_TRY(check(rocksdb::DB::ListColumnFamilies(options, directory, &names)));
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  rocksdb::DB* db = nullptr;
  PIEVT_TRY(check(rocksdb::DB::OpenForReadOnly(options, directory, families, &impl->handles, &db)));
  impl->db.reset(db);
  for (auto* handle : impl->handles) {
    if (handle->GetName() == "log") impl->log = handle;
  }
  if (impl->log == nullptr) return Error{Errc::corrupt, "a store without its log"};
  return RawScan(std::move(impl));
}

RawScan::RawScan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RawScan::RawScan(RawScan&&) noexcept = default;
RawScan::~RawScan() = default;

Result<std::uint64_t> RawScan::run() const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = 1 << 20;
  const std::unique_ptr<rocksdb::Iterator> at(impl_->db->NewIterator(options, impl_->log));
  std::uint64_t bytes = 0;
  unsigned seen = 0;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const rocksdb::Slice value = at->value();
    for (std::size_t i = 0; i < value.size(); i += 64) seen += static_cast<unsigned char>(value[i]);
    bytes += value.size();
  }
  PIEVT_TRY(check(at->status()));
  if (seen == 0) return Error{Errc::corrupt, "a store of zeros"};
  return bytes;
}

}  // namespace pievt::bench
