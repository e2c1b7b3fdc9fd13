#include "store/log/manifest_guard.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "store/format/hash.h"

namespace pievt {
namespace {

using rocksdb::DataVerificationInfo;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr std::size_t chunk_bytes = 256 << 10;
constexpr std::size_t readings_max = 4;

std::string name_in(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// A file that has been read already.
class ReadBefore final : public rocksdb::FSSequentialFile {
 public:
  explicit ReadBefore(std::string bytes) : bytes_(std::move(bytes)) {}

  IOStatus Read(std::size_t size, const IOOptions& /*options*/, Slice* result, char* scratch,
                IODebugContext* /*debug*/) override {
    const std::size_t count = std::min(size, bytes_.size() - at_);
    if (count > 0) std::memcpy(scratch, bytes_.data() + at_, count);
    *result = Slice(scratch, count);
    at_ += count;
    return IOStatus::OK();
  }
  IOStatus Skip(std::uint64_t size) override {
    at_ += static_cast<std::size_t>(std::min<std::uint64_t>(size, bytes_.size() - at_));
    return IOStatus::OK();
  }
  IOStatus InvalidateCache(std::size_t /*offset*/, std::size_t /*size*/) override {
    return IOStatus::OK();
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

}  // namespace

struct ManifestGuard::Source {
  const std::string& path;
  const FileOptions& options;
  std::uint64_t from;
  IODebugContext* debug;
};

// A MANIFEST on its way to the disk. After an error, or when it is written in another way than one
// piece behind the other, it is not known what it has, and nothing more is noted.
class ManifestGuard::Written final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  Written(std::unique_ptr<rocksdb::FSWritableFile> file, ManifestGuard& guard, std::uint64_t number)
      : FSWritableFileOwnerWrapper(std::move(file)), guard_(&guard), number_(number) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return appended(data, target()->Append(data, options, debug));
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const DataVerificationInfo& sum,
                  IODebugContext* debug) override {
    return appended(data, target()->Append(data, options, sum, debug));
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            IODebugContext* debug) override {
    is_known_ = false;
    return target()->PositionedAppend(data, offset, options, debug);
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            const DataVerificationInfo& sum, IODebugContext* debug) override {
    is_known_ = false;
    return target()->PositionedAppend(data, offset, options, sum, debug);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    if (size != length_) is_known_ = false;
    return target()->Truncate(size, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return synced(target()->Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return synced(target()->Fsync(options, debug));
  }
  // These two the wrapper keeps to itself.
  void SetIOPriority(rocksdb::Env::IOPriority priority) override {
    target()->SetIOPriority(priority);
  }
  rocksdb::Env::IOPriority GetIOPriority() override { return target()->GetIOPriority(); }

 private:
  IOStatus appended(const Slice& data, IOStatus status) {
    if (!status.ok()) is_known_ = false;
    length_ += data.size();
    sum_ = crc32c(std::as_bytes(std::span(data.data(), data.size())), sum_);
    return status;
  }
  IOStatus synced(IOStatus status) {
    if (!status.ok()) is_known_ = false;
    if (!is_known_) return status;
    const std::scoped_lock lock(guard_->mutex_);
    guard_->known_.note(number_, length_, sum_);
    return status;
  }

  ManifestGuard* guard_;
  std::uint64_t number_;
  std::uint64_t length_ = 0;
  std::uint32_t sum_ = 0;
  bool is_known_ = true;
};

// A write-ahead log that is replayed. Where it ends is what the last reading, a short one, shows.
class ManifestGuard::WrittenAhead final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  WrittenAhead(std::unique_ptr<rocksdb::FSSequentialFile> file, ManifestGuard& guard,
               std::string path, const FileOptions& options)
      : FSSequentialFileOwnerWrapper(std::move(file)),
        guard_(&guard),
        path_(std::move(path)),
        options_(options) {}

  IOStatus Read(std::size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    IOStatus status = target()->Read(size, options, result, scratch, debug);
    if (!status.ok()) return status;
    const std::uint64_t at = std::exchange(at_, at_ + result->size());
    if (result->size() == size || result->empty()) return status;
    const auto never = [] { return false; };
    std::string end;
    status = guard_->read_surely({path_, options_, at, debug}, never, end, {result->ToString()});
    if (!status.ok()) return status;
    if (end.size() > size) return IOStatus::IOError(path_, "grows while it is replayed");
    std::memcpy(scratch, end.data(), end.size());
    *result = Slice(scratch, end.size());
    return status;
  }
  IOStatus Skip(std::uint64_t size) override {
    at_ += size;
    return target()->Skip(size);
  }

 private:
  ManifestGuard* guard_;
  std::string path_;
  FileOptions options_;
  std::uint64_t at_ = 0;
};

void ManifestGuard::settle() {
  const std::scoped_lock lock(mutex_);
  settled_ = true;
  // One that stays is removed when the log is opened the next time.
  for (const std::string& path : removed_)
    target_->DeleteFile(path, IOOptions(), nullptr).PermitUncheckedError();
  removed_.clear();
}

IOStatus ManifestGuard::NewWritableFile(const std::string& path, const FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* result,
                                        IODebugContext* debug) {
  const auto number = manifest_number(name_in(path));
  if (number) {
    const std::scoped_lock lock(mutex_);
    if (const Status begun = known_.begin(*number); !begun.ok())
      return IOStatus::IOError(begun.error().what);
  }
  IOStatus status = target_->NewWritableFile(path, options, result, debug);
  if (status.ok() && number)
    *result = std::make_unique<Written>(std::move(*result), *this, *number);
  return status;
}

IOStatus ManifestGuard::NewSequentialFile(const std::string& path, const FileOptions& options,
                                          std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                          IODebugContext* debug) {
  const std::string name = name_in(path);
  const auto number = manifest_number(name);
  if (!number && name != "CURRENT") {
    IOStatus status = target_->NewSequentialFile(path, options, result, debug);
    if (status.ok() && name.ends_with(".log"))
      *result = std::make_unique<WrittenAhead>(std::move(*result), *this, path, options);
    return status;
  }
  const std::scoped_lock lock(mutex_);
  std::string bytes;
  const auto is_sure = [&] { return number && known_.is_all_of(*number, bytes); };
  IOStatus status = read_surely({path, options, 0, debug}, is_sure, bytes);
  if (number && status.IsPathNotFound())
    return IOStatus::Corruption(fmt::format("CURRENT names {}, which is not there", name));
  if (!status.ok()) return status;
  if (number) {
    const Status checked = known_.check(*number, bytes);
    if (!checked.ok()) return IOStatus::Corruption(checked.error().what);
  }
  *result = std::make_unique<ReadBefore>(std::move(bytes));
  return status;
}

IOStatus ManifestGuard::DeleteFile(const std::string& path, const IOOptions& options,
                                   IODebugContext* debug) {
  {
    const std::scoped_lock lock(mutex_);
    if (!settled_ && (path.ends_with(".sst") || path.ends_with(".log"))) {
      removed_.push_back(path);
      return IOStatus::OK();
    }
  }
  return target_->DeleteFile(path, options, debug);
}

IOStatus ManifestGuard::read(const Source& source, std::string& bytes) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  IOStatus status = target_->NewSequentialFile(source.path, source.options, &file, source.debug);
  if (status.ok() && source.from > 0) status = file->Skip(source.from);
  bytes.clear();
  for (std::size_t got = chunk_bytes; status.ok() && got == chunk_bytes;) {
    const std::size_t before = bytes.size();
    bytes.resize(before + chunk_bytes);
    char* const here = bytes.data() + before;
    Slice read;
    status = file->Read(chunk_bytes, source.options.io_options, &read, here, source.debug);
    got = status.ok() ? read.size() : 0;
    if (got > 0 && read.data() != here) std::memmove(here, read.data(), got);
    bytes.resize(before + got);
  }
  return status;
}

// Until it is certain that this is what is there: by what is known of it, or because an earlier
// reading was the same.
template <class IsSure>
IOStatus ManifestGuard::read_surely(const Source& source, const IsSure& is_sure, std::string& bytes,
                                    std::vector<std::string> earlier) {
  while (earlier.size() < readings_max) {
    IOStatus status = read(source, bytes);
    if (!status.ok() || is_sure()) return status;
    if (std::ranges::find(earlier, bytes) != earlier.end()) return status;
    earlier.push_back(bytes);
  }
  return IOStatus::IOError(source.path, "is another one each time it is read");
}

}  // namespace pievt
