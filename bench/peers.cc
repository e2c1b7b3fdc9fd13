#include "bench/peers.h"

#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <benchmark/benchmark.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include "pievt/limits.h"
#include "pievt/result.h"
#include "store/format/keys.h"

namespace pievt::bench {
namespace {

void must_be_ok(const rocksdb::Status& status) {
  if (!status.ok()) assertion_failed(status.ToString().c_str(), "raw RocksDB", 0);
}

}  // namespace

PlainFile::PlainFile(const std::filesystem::path& path)
    : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  PIEVT_ASSERT(fd_ >= 0);
}

PlainFile::~PlainFile() {
  ::close(fd_);
}

void PlainFile::append(std::string_view bytes, Durability durability) {
  PIEVT_ASSERT(::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  if (durability == Durability::fsync) PIEVT_ASSERT(::fdatasync(fd_) == 0);
}

struct RawRocks::Impl {
  std::unique_ptr<rocksdb::DB> db;
  std::uint64_t next = 1;
};

// The options of store/log/rocks.cc, without column families.
RawRocks::RawRocks(const std::filesystem::path& directory) : impl_(std::make_unique<Impl>()) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.max_total_wal_size = limits::wal_bytes_max;
  options.recycle_log_file_num = 0;
  options.manual_wal_flush = true;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kZSTD;
  options.write_buffer_size = 16 << 20;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = 32 << 10;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  must_be_ok(rocksdb::DB::Open(options, directory.string(), &db));
  impl_->db.reset(db);
}

RawRocks::~RawRocks() = default;

void RawRocks::append(std::string_view bytes, Durability durability) {
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::fsync;
  must_be_ok(impl_->db->Put(options, format::log_key(impl_->next++),
                            rocksdb::Slice(bytes.data(), bytes.size())));
  if (durability == Durability::wal) must_be_ok(impl_->db->FlushWAL(false));
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
RawScan::RawScan(const std::filesystem::path& store) : impl_(std::make_unique<Impl>()) {
  rocksdb::Options options;
  const std::string directory = (store / "log").string();
  std::vector<std::string> names;
  must_be_ok(rocksdb::DB::ListColumnFamilies(options, directory, &names));
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  rocksdb::DB* db = nullptr;
  must_be_ok(rocksdb::DB::OpenForReadOnly(options, directory, families, &impl_->handles, &db));
  impl_->db.reset(db);
  for (auto* handle : impl_->handles) {
    if (handle->GetName() == "log") impl_->log = handle;
  }
  PIEVT_ASSERT(impl_->log != nullptr);
}

RawScan::~RawScan() = default;

std::uint64_t RawScan::run() const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = 1 << 20;
  const std::unique_ptr<rocksdb::Iterator> at(impl_->db->NewIterator(options, impl_->log));
  std::uint64_t bytes = 0;
  std::uint8_t seen = 0;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const rocksdb::Slice value = at->value();
    for (std::size_t i = 0; i < value.size(); i += 64)
      seen = static_cast<std::uint8_t>(seen ^ value[i]);
    bytes += value.size();
  }
  must_be_ok(at->status());
  benchmark::DoNotOptimize(seen);
  return bytes;
}

}  // namespace pievt::bench
