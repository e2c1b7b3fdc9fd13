#include "store/log/rocks.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include "store/log/file_limit.h"
#include "store/log/manifest_guard.h"
#include "store/log/rocks_options.h"
#include "store/log/store_files.h"

namespace pievt {
namespace {

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

Error error_of(const rocksdb::Status& status, std::string_view doing) {
  Errc code = Errc::io;
  if (status.IsCorruption()) code = Errc::corrupt;
  if (status.IsNoSpace()) code = Errc::no_space;
  // RocksDB's own lock: of a process that is about to be gone, or of a program that is not ours.
  const bool locked =
      status.IsIOError() && status.ToString().find("lock file") != std::string::npos;
  if (status.IsBusy() || locked) code = Errc::busy;
  if (status.IsNotFound()) code = Errc::not_found;
  const std::string_view next =
      code == Errc::corrupt ? "; what is left: pievt verify --all, and then pievt salvage" : "";
  return {code, fmt::format("{}: {}{}", doing, status.ToString(), next)};
}

Status check(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  return error_of(status, doing);
}

}  // namespace

struct Rocks::Impl {
  std::shared_ptr<rocksdb::Env> env = rocks_options::env();  // outlives `db`
  std::shared_ptr<ManifestGuard> guard;                      // of a writer with files
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*>
      handles;  // the default family first, then ours in order
  bool is_writer = false;
  bool in_memory = false;
  // A write or sync has failed. RocksDB 7.8 must not be asked again: with assertions compiled in,
  // as in Debian's library, a second write to a log file that had an error aborts the program.
  std::atomic<bool> failed = false;

  Status noted(const rocksdb::Status& status, std::string_view doing) {
    if (!status.ok()) failed = true;
    return check(status, doing);
  }
  Status usable() const {
    if (!failed) return {};
    return Error{Errc::io,
                 "the log had an error before and takes nothing more; close it and open "
                 "it again"};
  }

  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles[static_cast<std::size_t>(family) + 1];
  }

  ~Impl() {
    for (auto* handle : handles) static_cast<void>(db->DestroyColumnFamilyHandle(handle));
  }
};

struct Rocks::Cursor::Impl {
  std::unique_ptr<rocksdb::Iterator> iterator;
};

namespace {
void set_first_error(rocksdb::Status& first, const rocksdb::Status& next) {
  if (first.ok()) first = next;
}
}  // namespace

struct WriteSet::Impl {
  explicit Impl(const Rocks::Impl* made_for) : rocks(made_for) {}
  const Rocks::Impl* rocks;
  rocksdb::WriteBatch batch;
  rocksdb::Status status;
};

WriteSet::WriteSet(const Rocks& rocks) : impl_(std::make_unique<Impl>(rocks.impl_.get())) {}
WriteSet::WriteSet(WriteSet&&) noexcept = default;
WriteSet& WriteSet::operator=(WriteSet&&) noexcept = default;
WriteSet::~WriteSet() = default;

void WriteSet::put(Family family, std::string_view key, std::string_view value) {
  set_first_error(impl_->status,
                  impl_->batch.Put(impl_->rocks->handle(family), slice(key), slice(value)));
}
void WriteSet::remove(Family family, std::string_view key) {
  set_first_error(impl_->status, impl_->batch.Delete(impl_->rocks->handle(family), slice(key)));
}

Rocks::Rocks(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rocks::Rocks(Rocks&&) noexcept = default;
Rocks& Rocks::operator=(Rocks&&) noexcept = default;
Rocks::~Rocks() = default;

Result<Rocks> Rocks::open_writer(const std::filesystem::path& directory, Create create,
                                 Superfluous superfluous) {
  PIEVT_TRY(make_room_for_files(directory));
  // RocksDB would make it, and its files, readable for everybody.
  PIEVT_TRY(make_private_directory(directory));
  auto impl = std::make_unique<Impl>();
  rocksdb::DBOptions options = rocks_options::writer(create);
  impl->guard = std::make_shared<ManifestGuard>(options.env->GetFileSystem(), directory);
  impl->env = rocksdb::NewCompositeEnv(impl->guard);
  options.env = impl->env.get();
  // Whoever made the log may have died between two families. One with events has them all, and
  // RocksDB would remove the files of those that it makes a second time.
  options.create_missing_column_families = files_with_events(directory) == 0;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(options, directory.string(),
                                                   rocks_options::families(), &impl->handles, &db);
  const std::string doing = fmt::format("opening the log in {}", directory.string());
  // So it answers when families are missing.
  if (opened.IsInvalidArgument() && !options.create_missing_column_families)
    return Error{Errc::corrupt, fmt::format("{}: {}", doing, opened.ToString())};
  PIEVT_TRY(check(opened, doing));
  impl->db.reset(db);
  impl->is_writer = true;
  if (superfluous == Superfluous::goes) impl->guard->settle();
  return Rocks(std::move(impl));
}

Result<Rocks> Rocks::open_reader(const std::filesystem::path& directory) {
  PIEVT_TRY(make_room_for_files(directory));
  auto impl = std::make_unique<Impl>();
  rocksdb::DB* db = nullptr;
  rocksdb::DBOptions options = rocks_options::base();
  const rocksdb::Status opened =
      rocksdb::DB::OpenAsSecondary(options, directory.string(), directory.string(),
                                   rocks_options::families(), &impl->handles, &db);
  // So it answers when families are missing: whoever made the log died before it was complete.
  if (opened.IsInvalidArgument()) {
    return Error{Errc::not_found, fmt::format("the log in {} was never completed; the next writer "
                                              "does that ({})",
                                              directory.string(), opened.ToString())};
  }
  PIEVT_TRY(check(opened, fmt::format("opening the log in {} for reading", directory.string())));
  impl->db.reset(db);
  return Rocks(std::move(impl));
}

Result<Rocks> Rocks::open_in_memory() {
  auto impl = std::make_unique<Impl>();
  impl->env.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  rocksdb::DBOptions options = rocks_options::writer(Create::if_missing);
  options.env = impl->env.get();
  options.create_missing_column_families = true;
  options.create_missing_column_families = true;
  rocksdb::DB* db = nullptr;
  PIEVT_TRY(
      check(rocksdb::DB::Open(options, "/index", rocks_options::families(), &impl->handles, &db),
            "making an index in memory"));
  impl->db.reset(db);
  impl->is_writer = impl->in_memory = true;
  return Rocks(std::move(impl));
}

Status Rocks::write(WriteSet&& set, Durability durability) {
  PIEVT_TRY(check(set.impl_->status, "preparing a write"));
  PIEVT_TRY(impl_->usable());
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::fsync;
  options.disableWAL = impl_->in_memory;
  PIEVT_TRY(impl_->noted(impl_->db->Write(options, &set.impl_->batch), "writing to the log"));
  if (durability == Durability::wal) return flush_wal(Durability::wal);
  return {};
}

Status Rocks::flush_wal(Durability durability) {
  PIEVT_TRY(impl_->usable());
  return impl_->noted(impl_->db->FlushWAL(durability == Durability::fsync), "flushing the log");
}

Status Rocks::start_flush() {
  // The log file that ends here is on the disk before the next one is begun: a power cut must not
  // leave what is in the next one without what came before it.
  PIEVT_TRY(flush_wal(Durability::fsync));
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  const rocksdb::Status status = impl_->db->Flush(options, impl_->handles);
  // Earlier flushes are still at work and hold the writers up: what was asked for is happening.
  if (status.IsTryAgain()) return {};
  return impl_->noted(status, "emptying the write-ahead log");
}

Result<std::optional<std::string>> Rocks::get(Family family, std::string_view key) const {
  std::string value;
  const rocksdb::Status status =
      impl_->db->Get(rocksdb::ReadOptions(), impl_->handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  PIEVT_TRY(check(status, "reading the log"));
  return std::optional<std::string>(std::move(value));
}

Rocks::Cursor Rocks::cursor(Family family, Fill fill) const {
  rocksdb::ReadOptions options;
  options.fill_cache = fill == Fill::cache;
  if (fill == Fill::scan) options.readahead_size = 1 << 20;
  auto impl = std::make_unique<Cursor::Impl>();
  impl->iterator.reset(impl_->db->NewIterator(options, impl_->handle(family)));
  return Cursor(std::move(impl));
}

void Rocks::settle() {
  if (impl_->guard != nullptr) impl_->guard->settle();
}

Status Rocks::catch_up() {
  if (impl_->is_writer) return {};
  return check(impl_->db->TryCatchUpWithPrimary(), "catching up with the writer");
}

Status Rocks::verify_files() const {
  return check(impl_->db->VerifyChecksum(rocksdb::ReadOptions()), "reading every block of the log");
}

Status Rocks::compact(Family family) {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  return check(impl_->db->CompactRange(options, impl_->handle(family), nullptr, nullptr),
               "merging files");
}

std::filesystem::path Rocks::directory() const {
  return impl_->in_memory ? std::filesystem::path() : std::filesystem::path(impl_->db->GetName());
}

std::uint64_t Rocks::bytes_of(Family family) const {
  std::uint64_t bytes = 0;
  static_cast<void>(impl_->db->GetIntProperty(impl_->handle(family),
                                              rocksdb::DB::Properties::kTotalSstFilesSize, &bytes));
  return bytes;
}

Status Rocks::close() {
  if (impl_ == nullptr) return {};
  Status result;
  if (impl_->is_writer) {
    result = flush_wal(Durability::fsync);
    rocksdb::FlushOptions options;
    if (result.ok())
      result = check(impl_->db->Flush(options, impl_->handles), "emptying the write-ahead log");
    if (result.ok()) settle();
  }
  impl_.reset();
  return result;
}

Rocks::Cursor::Cursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rocks::Cursor::Cursor(Cursor&&) noexcept = default;
Rocks::Cursor& Rocks::Cursor::operator=(Cursor&&) noexcept = default;
Rocks::Cursor::~Cursor() = default;

void Rocks::Cursor::seek(std::string_view key) {
  impl_->iterator->Seek(slice(key));
}
void Rocks::Cursor::seek_for_prev(std::string_view key) {
  impl_->iterator->SeekForPrev(slice(key));
}
void Rocks::Cursor::seek_to_last() {
  impl_->iterator->SeekToLast();
}
void Rocks::Cursor::next() {
  impl_->iterator->Next();
}
void Rocks::Cursor::prev() {
  impl_->iterator->Prev();
}
bool Rocks::Cursor::valid() const {
  return impl_->iterator->Valid();
}
std::string_view Rocks::Cursor::key() const {
  return view(impl_->iterator->key());
}
std::string_view Rocks::Cursor::value() const {
  return view(impl_->iterator->value());
}
Status Rocks::Cursor::status() const {
  return check(impl_->iterator->status(), "reading the log");
}

Status read_table(const std::filesystem::path& file, const EntrySink& sink) {
  rocksdb::Options options;
  options.info_log = rocks_options::no_log();
  rocksdb::SstFileReader reader(options);
  const std::string doing = fmt::format("reading {}", file.filename().string());
  PIEVT_TRY(check(reader.Open(file.string()), doing));
  const std::string& name = reader.GetTableProperties()->column_family_name;
  const auto found = std::ranges::find(rocks_options::family_names, name);
  if (found == rocks_options::family_names.end()) return {};
  const auto family = static_cast<Family>(found - rocks_options::family_names.begin());
  rocksdb::ReadOptions how;
  how.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(reader.NewIterator(how));
  for (at->SeekToFirst(); at->Valid(); at->Next()) sink(family, view(at->key()), view(at->value()));
  return check(at->status(), doing);
}

namespace {

// Families have been made in their order, behind RocksDB's own, since the first version. Marks of
// transactions are none of ours: whoever meets one reads something else (a MANIFEST in the place of
// a log has one). They are answered with ok all the same, since Iterate() asserts that.
class PutsOnly final : public rocksdb::WriteBatch::Handler {
 public:
  explicit PutsOnly(const EntrySink& sink) : sink_(&sink) {}
  rocksdb::Status PutCF(std::uint32_t id, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    if (id >= 1 && id <= family_count)
      (*sink_)(static_cast<Family>(id - 1), view(key), view(value));
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice&) override {
    return rocksdb::Status::OK();
  }
  void LogData(const rocksdb::Slice&) override {}
  rocksdb::Status MarkBeginPrepare(bool) override { return foreign(); }
  rocksdb::Status MarkEndPrepare(const rocksdb::Slice&) override { return foreign(); }
  rocksdb::Status MarkNoop(bool) override { return foreign(); }
  rocksdb::Status MarkRollback(const rocksdb::Slice&) override { return foreign(); }
  rocksdb::Status MarkCommit(const rocksdb::Slice&) override { return foreign(); }
  rocksdb::Status MarkCommitWithTimestamp(const rocksdb::Slice&, const rocksdb::Slice&) override {
    return foreign();
  }
  bool met_foreign() const { return foreign_; }

 private:
  rocksdb::Status foreign() {
    foreign_ = true;
    return rocksdb::Status::OK();
  }
  const EntrySink* sink_;
  bool foreign_ = false;
};

}  // namespace

Status read_log_record(std::string_view record, const EntrySink& sink) {
  constexpr std::size_t header_bytes = 12;
  if (record.size() < header_bytes)
    return Error{Errc::corrupt, "a record of the write-ahead log is too short"};
  const rocksdb::WriteBatch batch{std::string(record)};
  PutsOnly puts(sink);
  PIEVT_TRY(check(batch.Iterate(&puts), "reading the write-ahead log"));
  if (puts.met_foreign())
    return Error{Errc::corrupt, "a record of the write-ahead log is not one of pievt's"};
  return {};
}

std::string rocks_version() {
  return fmt::format("{}.{}.{}", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH);
}

}  // namespace pievt
