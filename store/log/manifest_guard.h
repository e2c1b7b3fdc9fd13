// The file system a writer gives to RocksDB: what RocksDB reads while it opens decides which files
// it removes, so it is made sure of first, and nothing is removed before the log has been looked
// at.
//
//   CURRENT       is read until two readings are the same.
//   MANIFEST-*    is compared with what is known of it (checked_manifest.h). A wrong reading heals
//                 when it is read again; damage of the disk is an error before anything was
//                 changed.
//   *.log         are read twice where they end: of what does not fit there RocksDB says that it
//                 was never written.
//   *.sst, *.log  that RocksDB removes stay until settle(): whether opening has found all events is
//                 known only afterwards, and then it is these files that have what is missing.
//
// Everything else goes through as it is. For rocks.cc alone.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <rocksdb/file_system.h>

#include "store/log/checked_manifest.h"

namespace pievt {

class ManifestGuard final : public rocksdb::FileSystemWrapper {
 public:
  /// `files`: the file system that does the work. `log`: the directory of the log.
  ManifestGuard(const std::shared_ptr<rocksdb::FileSystem>& files, const std::filesystem::path& log)
      : FileSystemWrapper(files), known_(log) {}

  /// The log is as it should be: removes what RocksDB has removed, and from now on at once.
  void settle();

  const char* Name() const override { return "PievtManifestGuard"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  class Written;
  class WrittenAhead;

  struct Source;  // what is read
  rocksdb::IOStatus read(const Source& source, std::string& bytes);
  template <class IsSure>
  rocksdb::IOStatus read_surely(const Source& source, const IsSure& is_sure, std::string& bytes,
                                std::vector<std::string> earlier = {});

  std::mutex mutex_;
  CheckedManifest known_;
  bool settled_ = false;
  std::vector<std::string> removed_;  ///< before it was settled
};

}  // namespace pievt
