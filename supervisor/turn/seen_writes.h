// Which attempts wrote a file, as the kernel saw it (process/write_watch.h), for as long as one of
// them runs.
//
// A file is known by its identity, not by its name: what was written under another name and then
// moved to its place is still the same file, and what has taken the place of a file that was seen
// is not. So evidence never passes from one file to another.
//
// To be woken for every file costs whoever writes it more than to be told of many at once. So the
// first write after a silence is looked at immediately, because its process may be about to end,
// and then listening is paused for a moment, at least three quarters of the time. The kernel keeps
// what it has to tell meanwhile, and says so where it could not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "supervisor/process/poller.h"
#include "supervisor/process/write_watch.h"
#include "supervisor/turn/attribution.h"

namespace pievt::supervisor {

class SeenWrites {
 public:
  /// Files below `store` are nobody's news. Where the kernel does not tell who writes, nothing is
  /// ever known here, and that is no error.
  explicit SeenWrites(const std::filesystem::path& store);

  /// Wakes the poller with `token`. `poller` must outlive this.
  Status attach(process::Poller& poller, std::uint64_t token);

  enum class Since : std::uint8_t { start, later };

  /// From now on processes with `marker` are the attempt's, and writes below `root` are noted.
  /// `since`: what it wrote before was missed, if it has begun already.
  void begin(Who who, const std::string& marker, const std::filesystem::path& root, Since since);

  /// What comes from now on is not the attempt's any more. What it wrote is known until nobody
  /// runs.
  void end(Who who);

  /// Takes some of what the kernel has to tell. Does not wait.
  Status look();

  /// Takes all of it: what has been written until now.
  void look_at_all();

  /// When listening goes on; nothing: it is not paused.
  std::optional<process::Moment> paused_until() const { return paused_until_; }

  /// Goes on listening when the time has come.
  Status listen(process::Moment now);

  /// Whose processes wrote the file that is at `path` now, while `who` ran.
  SeenWriters writers(const std::string& path, Who who) const;

  /// What the attempt wrote outside of `root` and is still there, ascending by path.
  std::vector<OutsideWrite> outside(Who who, const std::filesystem::path& root) const;

 private:
  struct File {
    std::string path;
    SeenWriters by;
  };

  bool take();
  void note(const process::SeenWrite& write);
  void note_missed();
  void give_up();

  std::optional<process::WriteWatch> watch_;
  process::Poller* poller_ = nullptr;
  std::uint64_t token_ = 0;
  std::map<std::string, Who> attempts_;  ///< by marker, those that run
  std::set<Who> missed_;                 ///< while they ran, writes were missed
  std::map<process::FileId, File> files_;
  std::optional<process::Moment> paused_until_;
};

}  // namespace pievt::supervisor
