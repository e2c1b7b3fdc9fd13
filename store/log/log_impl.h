// What stands behind Log: the pieces one open log is made of, for the .cc files of this folder.
//
// A log is opened in one of three seats. A *reader* has a RocksDB secondary. The *writer* has the
// WriterRole, with RocksDB itself. A *client* has a secondary to read with and a Forwarder to
// append with, and may become the writer in the middle of its life; its secondary then stays, for
// the readers that were made before.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "pievt/log.h"
#include "store/log/blob_store.h"
#include "store/log/forwarder.h"
#include "store/log/page_index.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"
#include "store/log/writer_role.h"

namespace pievt {

/// RocksDB as a reader has it.
struct Secondary {
  Secondary(Rocks opened, ValuePut put) : rocks(std::move(opened)), blobs(rocks, std::move(put)) {}
  Rocks rocks;
  BlobStore blobs;
  std::unique_ptr<PageIndex> pages;  ///< instead of the store's own index, where that is damaged
};

struct Log::Impl {
  explicit Impl(StorePlace where);
  ~Impl();

  const StorePlace place;
  std::atomic<std::uint64_t> committed = 0;  ///< what readers of this Log may see
  std::atomic<bool> writer_alive = false;    ///< reader: as of the last refresh
  std::atomic<std::uint64_t> missing = 0;    ///< acknowledged by HEAD, but not in the log
  std::string mended;                        ///< see upkeep.h; set before the log is handed out

  /// The writer's role when this process has it. Once it has it, it keeps it until close().
  WriterRole* writer() const { return writer_.load(std::memory_order_acquire); }
  bool is_client() const { return forwarder_ != nullptr && writer() == nullptr; }
  Rocks& rocks() const { return writer() != nullptr ? writer()->rocks() : secondary_->rocks; }
  /// Where `streams` and `index` can be believed.
  Result<const Rocks*> index() const {
    if (writer() != nullptr || secondary_->pages == nullptr) return &rocks();
    return secondary_->pages->rocks();
  }
  BlobStore& blobs() const { return writer() != nullptr ? writer()->blobs() : secondary_->blobs; }

  /// As Log::open, but mends nothing.
  static Result<Log> open(const std::filesystem::path& directory, const OpenOptions& options);

  /// A log that was put together a moment ago and is nobody else's yet: read like any, and what
  /// follows from its events can be put beside them without an event of its own.
  static Result<Log> open_unpublished(const std::filesystem::path& directory);

  Status open_to_read();
  Status open_to_write(const OpenOptions& options);

  Result<Appended> append(const EncodedAppend::Impl& append);

  /// A value that is no event. Durable with the next append.
  Status put_value(Family family, std::string_view key, std::string_view value);

  /// Reader and client: what was committed since. Nothing to do in the writer.
  Status refresh();

  /// Client: makes its own appends visible to what reads next.
  Status see_own_appends();

  /// A page that must exist was not there. Catches up, up to limits::catch_up_max, until it is.
  Status heal(Rocks& rocks, Sequence wanted) const;

  Status close();

 private:
  Result<Forwarder::Succession> succeed();
  Status open_secondary();
  Status take_key();
  Status mistrust_index();

  std::unique_ptr<Secondary> secondary_;
  std::unique_ptr<Forwarder> forwarder_;
  std::unique_ptr<WriterRole> role_;
  std::atomic<WriterRole*> writer_ = nullptr;
  bool unpublished_ = false;  ///< `secondary_` is the database itself
};

/// The events from `from` to `to`, as far as they are committed.
EventReader read_between(Log::Impl& log, Sequence from, Sequence to,
                         Direction direction = Direction::forward);

}  // namespace pievt
