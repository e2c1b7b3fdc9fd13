// A picture of something that goes on, repainted in place on a terminal. Elsewhere there is nothing
// to repaint: notes appear as plain lines as they come, and the picture once, at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/render/terminal.h"
#include "tools/render/writer.h"

namespace pievt::render {

/// Not for several threads. Times are of the monotonic clock and come from the caller, who also
/// owns the timer.
class LiveView {
 public:
  /// Writes to `out`, which must live longer.
  LiveView(Writer& out, const Terminal& terminal) : out_(out), terminal_(terminal) {}

  /// Makes `lines` the picture and paints it, unless the last painting was less than 100 ms ago:
  /// then it waits, and the next call of `show` or `tick` after that paints it. Lines are cut to
  /// the width, and lines that do not fit the height are left out from the middle with their
  /// number. Lines must be sanitised; colours of `styled` are welcome.
  void show(std::vector<std::string> lines, std::int64_t now_ns);

  /// Paints what waits, if its time has come.
  void tick(std::int64_t now_ns);

  /// When `tick` should be called; nothing when nothing waits.
  std::optional<std::int64_t> due_ns() const;

  /// A line that stays, above the picture.
  void note(std::string_view line);

  /// After the window changed its size.
  void resize(const Terminal& terminal);

  /// Paints the last picture and leaves it standing. The view may not be used after it.
  void finish();

 private:
  std::vector<std::string> visible_lines() const;
  void paint(std::string_view above);

  Writer& out_;
  Terminal terminal_;
  std::vector<std::string> lines_;
  std::size_t painted_ = 0;  // lines of ours on the screen, the cursor below the last
  bool waiting_ = false;
  std::optional<std::int64_t> last_paint_ns_;
};

}  // namespace pievt::render
