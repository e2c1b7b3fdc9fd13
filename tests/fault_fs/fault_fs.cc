#include "tests/fault_fs/fault_fs.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <rocksdb/file_system.h>

#include "tests/fault_fs/journal.h"

namespace pievt::faults {
namespace {

using rocksdb::DirFsyncOptions;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

#define RETURN_IF_BAD(...)               \
  do {                                   \
    const IOStatus bad_ = (__VA_ARGS__); \
    if (!bad_.ok()) return bad_;         \
  } while (false)

// Runs one operation of RocksDB through the journal; a path that is not below its root goes past.
template <class Act>
IOStatus perform(Operation operation, Act&& act) {
  Journal* const journal = Journal::current();
  const auto name = journal == nullptr ? std::nullopt : journal->relative(operation.path);
  if (!name) return act(operation);
  operation.path = *name;
  if (!operation.target.empty()) {
    operation.target = journal->relative(operation.target).value_or(operation.target);
  }
  IOStatus status;
  const int error = journal->perform(std::move(operation), [&](const Operation& as_it_shall_be) {
    status = act(as_it_shall_be);
    return status.ok() ? 0 : EIO;
  });
  if (!status.ok() || error == 0) return status;
  return error == ENOSPC ? IOStatus::NoSpace("injected") : IOStatus::IOError("injected");
}

class RecordedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  RecordedFile(std::string path, std::unique_ptr<rocksdb::FSWritableFile> file, std::uint64_t size)
      : FSWritableFileOwnerWrapper(std::move(file)), path_(std::move(path)), size_(size) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = perform(
        {Op::write, path_, "", size_, data.ToString()},
        [&](const Operation& write) { return target()->Append(write.bytes, options, debug); });
    if (status.ok()) size_ += data.size();
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*checksum*/,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    if (size == size_) return target()->Truncate(size, options, debug);
    const IOStatus status = perform({Op::truncate, path_, "", size, ""}, [&](const Operation&) {
      return target()->Truncate(size, options, debug);
    });
    if (status.ok()) size_ = size;
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return perform({Op::sync, path_, "", 0, ""},
                   [&](const Operation&) { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return perform({Op::sync, path_, "", 0, ""},
                   [&](const Operation&) { return target()->Fsync(options, debug); });
  }
  // A hint to write back early, which promises nothing.
  IOStatus RangeSync(std::uint64_t /*offset*/, std::uint64_t /*size*/, const IOOptions& /*options*/,
                     IODebugContext* /*debug*/) override {
    return IOStatus::OK();
  }

 private:
  std::string path_;
  std::uint64_t size_;
};

class RecordedDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  RecordedDirectory(std::string path, std::unique_ptr<rocksdb::FSDirectory> directory)
      : FSDirectoryWrapper(std::move(directory)), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return perform({Op::sync_directory, path_, "", 0, ""},
                   [&](const Operation&) { return FSDirectoryWrapper::Fsync(options, debug); });
  }
  // Some file systems need no sync here, and RocksDB knows which. The disk of a test always does.
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const DirFsyncOptions& /*why*/) override {
    return Fsync(options, debug);
  }

 private:
  std::string path_;
};

// Damages what was read when the journal says so.
Slice damaged(const Slice& read, char* scratch, const std::string& path) {
  const std::string what = std::filesystem::path(path).filename().string();
  if (read.empty() || !Journal::current()->flip_this_read(what)) return read;
  if (read.data() != scratch) std::memcpy(scratch, read.data(), read.size());
  char& victim = scratch[read.size() / 2];
  victim = static_cast<char>(victim ^ 0x04);
  return {scratch, read.size()};
}

class RecordedReads final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  RecordedReads(std::string path, std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), path_(std::move(path)) {}
  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions& options, Slice* result,
                char* scratch, IODebugContext* debug) const override {
    const IOStatus status =
        FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, debug);
    if (status.ok() && Journal::current() != nullptr) *result = damaged(*result, scratch, path_);
    return status;
  }

 private:
  std::string path_;
};

class RecordedSequentialReads final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  RecordedSequentialReads(std::string path, std::unique_ptr<rocksdb::FSSequentialFile> file)
      : FSSequentialFileOwnerWrapper(std::move(file)), path_(std::move(path)) {}
  IOStatus Read(std::size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    const IOStatus status =
        FSSequentialFileOwnerWrapper::Read(size, options, result, scratch, debug);
    if (status.ok() && Journal::current() != nullptr) *result = damaged(*result, scratch, path_);
    return status;
  }

 private:
  std::string path_;
};

class FaultFs final : public rocksdb::FileSystemWrapper {
 public:
  FaultFs() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "PievtFaultFs"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* debug) override {
    // Opened anew it is empty, whatever was there.
    const bool exists = target_->FileExists(path, options.io_options, debug).ok();
    RETURN_IF_BAD(perform(
        {exists ? Op::truncate : Op::create, path, "", 0, ""},
        [&](const Operation&) { return target_->NewWritableFile(path, options, result, debug); }));
    *result = std::make_unique<RecordedFile>(path, std::move(*result), 0);
    return IOStatus::OK();
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* debug) override {
    std::uint64_t size = 0;
    const bool exists = target_->GetFileSize(path, options.io_options, &size, debug).ok();
    const auto open = [&](const Operation&) {
      return target_->ReopenWritableFile(path, options, result, debug);
    };
    const Operation create{Op::create, path, "", 0, ""};
    RETURN_IF_BAD(exists ? open(create) : perform(create, open));
    *result = std::make_unique<RecordedFile>(path, std::move(*result), exists ? size : 0);
    return IOStatus::OK();
  }
  // Log files are never used again (recycle_log_file_num is 0); this would not be recorded.
  IOStatus ReuseWritableFile(const std::string& /*path*/, const std::string& /*old*/,
                             const FileOptions& /*options*/,
                             std::unique_ptr<rocksdb::FSWritableFile>* /*result*/,
                             IODebugContext* /*debug*/) override {
    return IOStatus::NotSupported(
        "a file is used again, which the fault file system cannot record");
  }
  IOStatus NewRandomRWFile(const std::string& /*path*/, const FileOptions& /*options*/,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* /*result*/,
                           IODebugContext* /*debug*/) override {
    return IOStatus::NotSupported("random writes, which the fault file system cannot record");
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* debug) override {
    RETURN_IF_BAD(target_->NewRandomAccessFile(path, options, result, debug));
    *result = std::make_unique<RecordedReads>(path, std::move(*result));
    return IOStatus::OK();
  }
  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext* debug) override {
    RETURN_IF_BAD(target_->NewSequentialFile(path, options, result, debug));
    *result = std::make_unique<RecordedSequentialReads>(path, std::move(*result));
    return IOStatus::OK();
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* debug) override {
    RETURN_IF_BAD(target_->NewDirectory(path, options, result, debug));
    *result = std::make_unique<RecordedDirectory>(path, std::move(*result));
    return IOStatus::OK();
  }

  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* debug) override {
    return perform({Op::remove, path, "", 0, ""},
                   [&](const Operation&) { return target_->DeleteFile(path, options, debug); });
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    return perform({Op::rename, from, to, 0, ""},
                   [&](const Operation&) { return target_->RenameFile(from, to, options, debug); });
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override {
    return perform({Op::link, from, to, 0, ""},
                   [&](const Operation&) { return target_->LinkFile(from, to, options, debug); });
  }
  IOStatus Truncate(const std::string& path, std::size_t size, const IOOptions& options,
                    IODebugContext* debug) override {
    return perform({Op::truncate, path, "", size, ""},
                   [&](const Operation&) { return target_->Truncate(path, size, options, debug); });
  }
  IOStatus CreateDir(const std::string& path, const IOOptions& options,
                     IODebugContext* debug) override {
    return perform({Op::make_directory, path, "", 0, ""},
                   [&](const Operation&) { return target_->CreateDir(path, options, debug); });
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options,
                              IODebugContext* debug) override {
    if (target_->FileExists(path, options, debug).ok()) {
      return target_->CreateDirIfMissing(path, options, debug);
    }
    return CreateDir(path, options, debug);
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions& options,
                     IODebugContext* debug) override {
    return perform({Op::remove, path, "", 0, ""},
                   [&](const Operation&) { return target_->DeleteDir(path, options, debug); });
  }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_fault_fs() {
  return std::make_shared<FaultFs>();
}

}  // namespace pievt::faults
