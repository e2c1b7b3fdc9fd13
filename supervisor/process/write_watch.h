// Who writes which file, told by the kernel while it happens: fanotify on the mounts of the
// directories of interest. An event has the number of the process, and the marker in its
// environment says whose process that is (marker_cache.h).
//
// Nobody is ever held up by it: these are notifications, and where nobody takes them they are
// dropped, which is told. Not seen are writes through a mapping or another mount, deletions and
// renames; and of a process that nobody had looked at before it was gone, nothing is known.
//
// A file that is kept open and written again and again tells of its first write and of its end
// only: it is muted in between, or one child that writes bytes would keep us busy.
//
// Needs CAP_SYS_ADMIN. Without it there is no such watch, and nothing is claimed.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "pievt/result.h"
#include "supervisor/process/fd.h"
#include "supervisor/process/marker_cache.h"

namespace pievt::process {

/// Which file it is, whatever it is called. The number of an inode alone is given to another file
/// once its own is gone.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;
  friend auto operator<=>(const FileId&, const FileId&) = default;
};

/// The plain file that is at `path` now; links are not followed. Nothing when there is none, or
/// when its file system does not know when files were made.
std::optional<FileId> identify_file(const std::string& path);

/// A process wrote a file, or ended writing it: one that bears a marker, or one of which nothing is
/// known.
struct SeenWrite {
  FileId file;
  std::string path;     ///< absolute; as the file was called when it was asked
  std::string attempt;  ///< the value of its marker; empty: nothing is known of the process
  std::string program;
  pid_t pid = 0;
};

/// Owns the fanotify descriptor. Not for several threads at once.
class WriteWatch {
 public:
  struct Seen {
    std::span<const SeenWrite> writes;  ///< valid until the next read
    bool missed = false;                ///< there were writes of which nothing is known
    bool more = false;                  ///< there may be more to be read
  };

  /// Errc::unsupported when the kernel or our rights do not allow it.
  static Result<WriteWatch> create();

  /// To poll for reading.
  int fd() const { return fd_.get(); }

  /// From now on writes below `directory` (canonical) are told. Errors: its mount cannot be
  /// watched.
  Status watch(const std::string& directory);

  /// But not those below this one.
  void except(std::string directory) { except_ = std::move(directory); }

  /// Watches nothing any more.
  void clear();

  /// What was written since the last call, at most limits::write_events_max of it. Does not wait.
  Result<Seen> read();

 private:
  struct Event {
    Fd file;
    pid_t pid = 0;
    bool ends = false;           ///< it was closed
    bool is_news = false;        ///< by whom is not known, or it is one who bears a marker
    MarkerCache::Bearer bearer;  ///< empty: nothing is known of the process
  };

  explicit WriteWatch(Fd fd) : fd_(std::move(fd)) {}
  void take(std::span<const std::byte> bytes, Seen& seen);
  void mute(const Event& event);
  void tell(const Event& event);
  bool is_of_interest(std::string_view path) const;

  Fd fd_;
  MarkerCache markers_;
  std::vector<std::string> directories_;
  std::string except_;
  std::size_t muted_ = 0;
  std::vector<Event> events_;
  std::vector<SeenWrite> writes_;
};

}  // namespace pievt::process
