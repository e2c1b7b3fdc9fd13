// The writer's role: what exactly one process has of a store at a time, and what only it does.
//
// Appends of many threads, and of other processes by way of the Server, join one write: while one
// group is being written the next one gathers, and who came to it first writes it when its turn has
// come. An append that finds nobody else commits itself, without any other thread.
#pragma once

#include <atomic>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "pievt/log.h"
#include "store/log/blob_store.h"
#include "store/log/commit.h"
#include "store/log/head.h"
#include "store/log/owner.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"
#include "store/log/writer_lock.h"

namespace pievt {

class Server;

/// What is known of a store before it is open.
struct StorePlace {
  std::filesystem::path directory;
  StoreIdentity identity;
  OpenMode mode = OpenMode::read;
  std::string program;  ///< which program this is, for others
};

class WriterRole {
 public:
  /// Opens the log under a lock that is held and tells its own story as the first commit of the
  /// period. `committed` is kept up to date from then on; `blobs` of another role may be in use.
  /// busy: RocksDB's own lock is still with a writer that is about to be gone.
  static Result<std::unique_ptr<WriterRole>> begin(WriterLock lock, const StorePlace& place,
                                                   ValuePut put,
                                                   std::atomic<std::uint64_t>& committed);
  ~WriterRole();

  /// Makes sure that others see who writes (WriterLock::keep). Any thread.
  Status keep_lock() const { return lock_.keep(); }

  /// Lets other processes append through this one.
  Status serve();

  /// Any thread.
  Result<Appended> append(const EncodedAppend::Impl& append);

  /// Appends that enter the line together, each with its own result. Any thread.
  void append_all(std::span<GroupMember> members);

  /// A value that is no event. `wal`: it must survive this process (somebody else's is at stake).
  Status put(Family family, std::string_view key, std::string_view value, Durability durability);

  /// Declares another process as an actor, by what the kernel says of it. Server's thread only.
  Result<std::uint32_t> declare_actor(const Owner& process, std::uint32_t uid);

  Result<Revision> stream_head(std::string_view stream);

  /// When readers have to be woken for a publication that came too soon after the last wake;
  /// wake_owed() does it then. Any thread.
  std::optional<std::chrono::steady_clock::time_point> wake_owed_at();
  void wake_owed();

  /// Says that the period ends, flushes and gives the role up. Nothing may be in flight.
  Status close();

  std::uint64_t epoch() const { return epoch_; }
  Rocks& rocks() { return rocks_; }
  BlobStore& blobs() { return blobs_; }

 private:
  struct Group;
  struct Place {
    std::shared_ptr<Group> group;
    std::size_t count = 0;  ///< how many came in
    bool leads = false;
  };

  WriterRole(WriterLock lock, Rocks rocks, StorePlace place, HeadWriter head, WriterFacts facts,
             ValuePut put, std::atomic<std::uint64_t>& committed);
  Status begin_period(const Owner& self);
  Place stand_in_line(std::span<GroupMember> members);
  void close_first_in_line();
  void commit_group(std::span<GroupMember* const> members);
  void hand_over();
  void publish(std::uint64_t last);
  void fail(const Error& error);
  Error refused() const;

  WriterLock lock_;
  StorePlace place_;
  Rocks rocks_;
  BlobStore blobs_;
  std::uint64_t epoch_;
  std::uint32_t actor_ = 0;       ///< this process's own number in stamps
  std::uint32_t last_actor_ = 0;  ///< the highest number in use
  std::atomic<std::uint64_t>* committed_;

  std::mutex mutex_;  ///< of the line
  std::deque<std::shared_ptr<Group>> line_;
  bool somebody_leads_ = false;

  // Touched by the leader only.
  std::optional<Committer> committer_;
  std::uint64_t commits_since_flush_ = 0;

  std::mutex streams_mutex_;  ///< the committer's stream table is read by stream_head() too
  std::mutex head_mutex_;
  HeadWriter head_;
  std::atomic<bool> failed_ = false;
  std::optional<Error> failure_;  ///< set once, before `failed_`

  std::unique_ptr<Server> server_;  ///< ends first
};

}  // namespace pievt
