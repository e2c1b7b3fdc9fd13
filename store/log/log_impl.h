// What stands behind Log: the pieces one open log is made of, for the .cc files of this folder.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "pievt/log.h"
#include "store/log/blob_store.h"
#include "store/log/commit.h"
#include "store/log/head.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"
#include "store/log/writer_lock.h"

namespace pievt {

/// The writer's role: the locks that make it ours and what only the writer keeps.
struct WriterRole {
  WriterRole(WriterLock held, HeadWriter head_file, Rocks& rocks, WriterFacts facts,
             std::uint64_t last, const Digest& chain, std::uint32_t last_stream)
      : lock(std::move(held)),
        head(std::move(head_file)),
        epoch(facts.epoch),
        committer(rocks, facts, last, chain, last_stream) {}

  WriterLock lock;
  HeadWriter head;
  std::uint64_t epoch;
  std::uint32_t actor = 0;  ///< this process's own number in stamps

  // One appender at a time leads: it commits everything that waits, its own included.
  std::mutex mutex;
  struct Waiter;
  std::deque<Waiter*> queue;
  bool somebody_leads = false;

  // Touched by the leader only.
  Committer committer;
  std::uint64_t commits_since_flush = 0;
  std::uint64_t published = 0;

  std::mutex streams_mutex;  ///< the committer's stream table is read by stream_head() too
  std::atomic<bool> failed = false;
  std::optional<Error> failure;  ///< set once, before `failed`
};

struct Log::Impl {
  std::filesystem::path directory;
  OpenMode mode = OpenMode::read;
  StoreIdentity identity;
  Rocks rocks;
  BlobStore blobs;
  std::unique_ptr<WriterRole> writer;
  std::atomic<std::uint64_t> committed = 0;  ///< what readers of this Log may see
  std::atomic<bool> writer_alive = false;    ///< reader: as of the last refresh
  std::atomic<std::uint64_t> missing = 0;    ///< acknowledged by HEAD, but not in the log

  Impl(std::filesystem::path where, OpenMode how, StoreIdentity who, Rocks opened)
      : directory(std::move(where)),
        mode(how),
        identity(std::move(who)),
        rocks(std::move(opened)),
        blobs(rocks) {}

  Result<Appended> append(const EncodedAppend::Impl& append);
  Status refresh();
  /// Reader: a page that must exist was not there. Catches up, up to limits::catch_up_max, until
  /// `present` says yes.
  Status heal(Sequence wanted);
  Status close();
};

/// The events from `from` to `to`, as far as they are committed.
EventReader read_between(Log::Impl& log, Sequence from, Sequence to,
                         Direction direction = Direction::forward);

/// Tells the log's own story at the start of a writer's period, as its first commit.
Status begin_writing(Log::Impl& log, bool store_is_new, const std::string& program);

}  // namespace pievt
