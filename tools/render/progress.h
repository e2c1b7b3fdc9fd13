// How far long work has come, on stderr. On a terminal one line repaints itself ten times a second
// at most; elsewhere a line appears every ten seconds, so that a log of a nightly job stays
// readable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/render/terminal.h"
#include "tools/render/writer.h"

namespace pievt::render {

enum class ProgressUnit : std::uint8_t { items, bytes };

/// What is known at one moment.
struct ProgressFacts {
  std::string_view what;  ///< "verifying"
  ProgressUnit unit = ProgressUnit::items;
  std::uint64_t done = 0;
  std::optional<std::uint64_t> total;  ///< nothing when not known
  std::int64_t elapsed_ns = 0;
};

/// "verifying  12,300 of 90,812  13 %  1.2 M/s  4.0 s left". Rate and time left appear after half a
/// second, when they begin to mean something; without a total neither share nor time left is shown.
std::string progress_line(const ProgressFacts& facts);

/// Not for several threads. Times are of the monotonic clock and come from the caller.
class Progress {
 public:
  /// Writes to `out`, which must live longer.
  Progress(Writer& out, const Terminal& terminal, std::string what, std::int64_t now_ns)
      : out_(out),
        terminal_(terminal),
        what_(std::move(what)),
        start_ns_(now_ns),
        last_ns_(now_ns) {}

  void set_total(std::uint64_t total) { total_ = total; }
  void set_unit(ProgressUnit unit) { unit_ = unit; }

  /// Cheap enough to be called for every item: it writes only when it is time to.
  void at(std::uint64_t done, std::int64_t now_ns);

  /// Removes the line from a terminal. What was done is for the verb to say.
  void finish();

 private:
  Writer& out_;
  Terminal terminal_;
  std::string what_;
  ProgressUnit unit_ = ProgressUnit::items;
  std::optional<std::uint64_t> total_;
  std::int64_t start_ns_;
  std::int64_t last_ns_;
  bool on_screen_ = false;
};

}  // namespace pievt::render
