// To which attempt a process belongs, asked for every file that is written: what /proc says of a
// process is remembered for a moment, because reading it takes longer than writing a small file.
//
// A number is remembered with the start time of its process. Within limits::pid_trust_ms that is
// not even asked again, so that what a process wrote just before its end is still known as its own
// when it is gone.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include <sys/types.h>

#include "supervisor/process/clock.h"

namespace pievt::process {

/// Not for several threads at once.
class MarkerCache {
 public:
  struct Bearer {
    std::string attempt;  ///< the value of its marker (sweep.h); empty: it bears none
    std::string program;  ///< the kernel's short name for it
  };

  /// Whose process `pid` is. A zombie has no environment any more and belongs to where its parent
  /// does, which started it. nullptr: it is not known, because it is gone and was not looked at
  /// while it lived, or may not be. Valid until the next call.
  const Bearer* find(pid_t pid, Moment now);

  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    Bearer bearer;
    std::uint64_t start_ticks = 0;
    Moment looked_at{};
  };

  void make_room(Moment now);

  std::unordered_map<pid_t, Known> known_;
};

}  // namespace pievt::process
