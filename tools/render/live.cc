// One painting is one write between the marks of a synchronized update, so that a terminal which
// knows them never shows half a picture; others ignore them. The cursor rests below the picture and
// stays visible: when the program is killed, the shell's prompt simply follows.
#include "tools/render/live.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/render/width.h"

namespace pievt::render {
namespace {

constexpr std::int64_t paint_interval_ns = 100'000'000;  // 10 a second: more only flickers
constexpr std::string_view update_begin = "\x1b[?2026h";
constexpr std::string_view update_end = "\x1b[?2026l";
constexpr std::string_view erase_below = "\x1b[J";

}  // namespace

std::vector<std::string> LiveView::visible_lines() const {
  // One row stays free for the cursor; a picture as high as the screen would scroll with every
  // painting.
  const auto room = static_cast<std::size_t>(std::max(1, terminal_.height - 1));
  std::vector<std::string> visible = lines_;
  if (visible.size() > room) {
    const std::size_t top = room / 2;
    const std::size_t left_out = visible.size() - room + 1;
    const auto first = visible.begin() + static_cast<std::ptrdiff_t>(top);
    *first = fmt::format("({} more lines)", left_out);
    visible.erase(first + 1, first + static_cast<std::ptrdiff_t>(left_out));
  }
  for (std::string& line : visible) {
    line = cut_to_width(line, terminal_.width, terminal_.cut_mark());
  }
  return visible;
}

void LiveView::paint(std::string_view above) {
  std::string frame(update_begin);
  if (painted_ > 0) frame += fmt::format("\x1b[{}A", painted_);
  frame += "\r";
  frame += erase_below;
  frame += above;
  const std::vector<std::string> visible = visible_lines();
  for (const std::string& line : visible) frame += line + "\n";
  frame += update_end;
  out_.write(frame);
  out_.flush();
  painted_ = visible.size();
}

void LiveView::show(std::vector<std::string> lines, std::int64_t now_ns) {
  waiting_ = waiting_ || lines != lines_;
  lines_ = std::move(lines);
  tick(now_ns);
}

void LiveView::tick(std::int64_t now_ns) {
  if (!terminal_.is_tty || !waiting_) return;
  if (last_paint_ns_ && now_ns - *last_paint_ns_ < paint_interval_ns) return;
  paint("");
  last_paint_ns_ = now_ns;
  waiting_ = false;
}

std::optional<std::int64_t> LiveView::due_ns() const {
  if (!terminal_.is_tty || !waiting_) return std::nullopt;
  return last_paint_ns_.value_or(0) + paint_interval_ns;
}

void LiveView::note(std::string_view line) {
  if (terminal_.is_tty) {
    paint(std::string(line) + "\n");
    waiting_ = false;
    return;
  }
  out_.line(line);
  out_.flush();
}

void LiveView::resize(const Terminal& terminal) {
  terminal_ = terminal;
  // The terminal has wrapped or joined the old lines; where they begin is not known any more.
  painted_ = 0;
  waiting_ = true;
}

void LiveView::finish() {
  if (terminal_.is_tty) {
    if (waiting_) paint("");
  } else {
    for (const std::string& line : lines_) out_.line(line);
    out_.flush();
  }
  waiting_ = false;
  painted_ = 0;
}

}  // namespace pievt::render
