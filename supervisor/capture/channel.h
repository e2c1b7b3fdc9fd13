// One file that a child writes its output to, on its way into the store.
//
// The file itself is the buffer: a child never waits for us, nothing is lost when we die, and no
// byte is kept in memory for longer than it takes to look at it. Bytes are read as they come; they
// move into the store in chunks of 2 MiB, or at the end; and once the commit that names a chunk is
// durable, the file's part is given back to the disk. A chunk that came in one piece goes into the
// store from where it was read; one that trickled in is read a second time, when there is time for
// it: children that say the same amount fill theirs at the same moment, and are listened to first.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "pievt/output.h"
#include "supervisor/process/follow_file.h"
#include "supervisor/process/pace.h"
#include "supervisor/process/watch.h"
#include "supervisor/record/run_record.h"

namespace pievt::supervisor {

/// What all channels of a supervisor share: their expensive working memory.
struct CaptureTools {
  process::ReadBuffer buffer;
  OutputPacker packer;
  /// How many chunks that trickled in may be stored in this round of looks.
  std::size_t chunks_left = 1;
};

class Channel {
 public:
  using Sink = std::function<Status(std::span<const std::byte>)>;

  /// Follows the file at `path` from where the store has it: `stored` bytes in `chunks` chunks.
  static Result<Channel> open(const std::filesystem::path& path, OutputKey key,
                              std::uint32_t chunks, std::uint64_t stored);

  /// Gives what is new to `sink`, at most `bytes_max`, and moves full chunks into the store.
  /// Returns how many bytes were new. A file that the worker shortened or replaced is recorded
  /// once, and the channel is at its end.
  Result<std::uint64_t> pump(RunRecord& record, CaptureTools& tools, Subject subject,
                             std::size_t bytes_max, const Sink& sink);

  /// How many bytes wait to be given; 0 at the end. Not 0 where the next pump has tampering to
  /// record.
  std::uint64_t unread() const;

  /// Moves the rest of what was given into the store.
  Status store_rest(RunRecord& record, CaptureTools& tools, Subject subject);

  /// After a commit: gives back the disk space of what is durable.
  Status release_stored();

  std::uint64_t offset() const { return follow_.offset(); }
  int fd() const { return follow_.fd(); }

  process::Pace pace;
  process::WatchId watch;

 private:
  Channel(process::FollowFile follow, OutputKey key, std::uint32_t chunks, std::uint64_t stored);
  Status store(RunRecord& record, CaptureTools& tools, Subject subject,
               std::span<const std::byte> raw);
  Status store_next(RunRecord& record, CaptureTools& tools, Subject subject);
  std::uint64_t unstored() const { return follow_.offset() - writer_.offset(); }
  Status record_tampering(RunRecord& record, Subject subject, const Error& error);

  process::FollowFile follow_;
  OutputKey key_;
  OutputWriter writer_;
  bool broken_ = false;
};

}  // namespace pievt::supervisor
