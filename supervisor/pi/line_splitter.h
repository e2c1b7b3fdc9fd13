// Cuts a byte stream into lines at byte 0x0A, and only there: pi prints U+2028 and U+2029 raw.
//
// Built for pi 0.73, whose `message_update` lines repeat the whole answer so far: an answer of
// 64 KiB is 273 MB of lines of up to 200 KB that nobody needs. So
//   - a line that lies whole in the chunk is handed on where it is, uncopied;
//   - a line that begins with one of the `skipped` prefixes is never collected: once its prefix is
//     known only its head and tail are kept, and the rest is passed over with memchr;
//   - a line over `limits::line_size_max` is treated the same from the byte that exceeds the limit.
// Memory is therefore bounded by one line of the maximum size, and flat while updates stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "supervisor/pi/limits.h"

namespace pievt::pi {

/// Where a line begins: its byte offset in the stream, and its number, counted from 1.
struct LineStart {
  std::uint64_t offset = 0;
  std::uint64_t number = 1;

  friend bool operator==(const LineStart&, const LineStart&) = default;
};

enum class LineKind : std::uint8_t {
  whole,      ///< `bytes` is the line
  skipped,    ///< it begins with a skipped prefix; `bytes` and `tail` are its two ends
  oversized,  ///< it is longer than the limit; `bytes` and `tail` are its two ends
};

enum class LineEnd : std::uint8_t { newline, end_of_stream };

/// One line without its newline. The views are valid during the visit only.
struct Line {
  LineKind kind = LineKind::whole;
  LineEnd end = LineEnd::newline;
  LineStart start;
  std::uint64_t length = 0;  ///< bytes in the stream, without the newline
  std::string_view bytes;    ///< the line, or its first `limits::line_head_size_max` bytes
  std::string_view tail;     ///< its last `limits::line_tail_size_max` bytes
};

class LineSplitter {
 public:
  /// `skipped` must outlive the splitter. `start` is where the first byte fed stands.
  explicit LineSplitter(std::span<const std::string_view> skipped, LineStart start = {});

  /// Calls `visit(const Line&)` for each line that `chunk` completes, in order.
  template <class Visit>
  void feed(std::string_view chunk, Visit&& visit) {
    while (!chunk.empty()) {
      const std::size_t newline = chunk.find('\n');
      if (newline == std::string_view::npos) {
        keep(chunk);
        return;
      }
      const Line line = complete(chunk.substr(0, newline), LineEnd::newline);
      visit(line);
      open_next(line);
      chunk.remove_prefix(newline + 1);
    }
  }

  /// Hands on what stands after the last newline, if anything does.
  template <class Visit>
  void finish(Visit&& visit) {
    if (length_ == 0) return;
    const Line line = complete({}, LineEnd::end_of_stream);
    visit(line);
    open_next(line);
  }

  /// Bytes of an unfinished line that are held in memory now.
  std::size_t held_size() const { return held_.size() + tail_.size(); }

 private:
  enum class Mode : std::uint8_t { undecided, collecting, skipping, oversized };

  void keep(std::string_view piece);
  Line complete(std::string_view last_piece, LineEnd end);
  void open_next(const Line& line);
  bool is_skipped(std::string_view line) const;
  void remember_tail(std::string_view piece);
  void drop_middle(Mode mode);
  void release_if_large();

  std::span<const std::string_view> skipped_;
  std::size_t decision_size_ = 0;  // so many bytes tell whether a line is skipped
  LineStart start_;
  std::uint64_t length_ = 0;  // of the unfinished line, kept or not
  Mode mode_ = Mode::undecided;
  std::string held_;  // the unfinished line, or its head
  std::string tail_;
};

}  // namespace pievt::pi
