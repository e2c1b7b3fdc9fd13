#include "store/log/rocks_options.h"

#include <string>

#include <rocksdb/cache.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/sst_partitioner.h>
#include <rocksdb/table.h>

#include "pievt/limits.h"
#include "store/log/rocks_testing.h"

namespace pievt {
namespace rocks_options {
namespace {

class NoLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// What is written in the order of its keys comes from the write-ahead log in files of some
// kilobytes that never overlap, which RocksDB only moves down as they are: a log of ten million
// events had 450 files of indexes, and each costs its share of every open. So they are put together
// once.
class PutTogether final : public rocksdb::SstPartitioner {
 public:
  const char* Name() const override { return "PutTogether"; }
  rocksdb::PartitionerResult ShouldPartition(const rocksdb::PartitionerRequest&) override {
    return rocksdb::kNotRequired;
  }
  bool CanDoTrivialMove(const rocksdb::Slice&, const rocksdb::Slice&) override { return false; }
};

class PutTogetherFactory final : public rocksdb::SstPartitionerFactory {
 public:
  const char* Name() const override { return "PutTogether"; }
  std::unique_ptr<rocksdb::SstPartitioner> CreatePartitioner(
      const rocksdb::SstPartitioner::Context& context) const override {
    if (context.output_level > 1) return nullptr;
    return std::make_unique<PutTogether>();
  }
};

rocksdb::ColumnFamilyOptions family_options(Family family,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  // Pages are mostly read in order, and a larger block unpacks faster and is smaller (measured with
  // 240-byte events: 8 % and 3 %); one page of it is still there within 100 us.
  table.block_size = family == Family::log ? 128 << 10 : 32 << 10;
  table.block_cache = cache;
  table.format_version = 5;
  options.compression = rocksdb::kZSTD;
  options.write_buffer_size = 16 << 20;
  // Asked for when an append's id is not one of the newest, and then nearly always new.
  if (family == Family::ids) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // An append's entry goes behind the last one of the same stream: from there, and not from the
  // top. Of 64 streams that was a third of what the memtable cost a commit.
  if (family == Family::streams)
    options.memtable_insert_with_hint_prefix_extractor.reset(
        rocksdb::NewFixedPrefixTransform(sizeof(std::uint32_t)));
  if (family == Family::streams || family == Family::ids) {
    options.sst_partitioner_factory = std::make_shared<PutTogetherFactory>();
    options.level0_file_num_compaction_trigger = 8;
  }
  if (family == Family::blobs)
    options.compression = rocksdb::kNoCompression;  // chunks are compressed already
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

std::shared_ptr<rocksdb::Env>& env() {
  static std::shared_ptr<rocksdb::Env> value;
  return value;
}

std::shared_ptr<rocksdb::Logger> no_log() {
  return std::make_shared<NoLogger>();
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
  const auto cache = rocksdb::NewLRUCache(32 << 20);
  std::vector<rocksdb::ColumnFamilyDescriptor> all;
  all.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options(Family::meta, cache));
  for (std::size_t i = 0; i < family_count; ++i) {
    all.emplace_back(family_names[i], family_options(static_cast<Family>(i), cache));
  }
  return all;
}

rocksdb::DBOptions base() {
  rocksdb::DBOptions options;
  if (env() != nullptr) options.env = env().get();
  options.info_log = no_log();
  options.max_open_files = -1;
  // With the default, each catch-up of a secondary starts 15 threads per column family.
  options.max_file_opening_threads = 1;
  return options;
}

rocksdb::DBOptions writer(Rocks::Create create) {
  rocksdb::DBOptions options = base();
  options.create_if_missing = create == Rocks::Create::if_missing;
  // The default (point in time) drops the second half of a log with one flipped bit and calls it
  // success.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_total_wal_size = limits::wal_bytes_max;
  options.avoid_flush_during_recovery = true;
  options.recycle_log_file_num = 0;
  options.manual_wal_flush = true;
  options.keep_log_file_num = 1;
  options.max_background_jobs = 2;
  return options;
}

}  // namespace rocks_options

void use_file_system_for_tests(std::shared_ptr<rocksdb::FileSystem> files) {
  rocks_options::env() = files == nullptr ? nullptr : rocksdb::NewCompositeEnv(files);
}

}  // namespace pievt
