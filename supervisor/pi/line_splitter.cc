// The states of an unfinished line: undecided until its first bytes are known, then either
// collected or, when nobody needs its inside, reduced to its two ends.
#include "supervisor/pi/line_splitter.h"

#include <algorithm>

namespace pievt::pi {

namespace {

std::string_view last_bytes(std::string_view bytes, std::size_t size) {
  return bytes.substr(bytes.size() - std::min(bytes.size(), size));
}

}  // namespace

LineSplitter::LineSplitter(std::span<const std::string_view> skipped, LineStart start)
    : skipped_(skipped), start_(start) {
  for (const std::string_view prefix : skipped_) {
    decision_size_ = std::max(decision_size_, prefix.size());
  }
}

bool LineSplitter::is_skipped(std::string_view line) const {
  return std::ranges::any_of(skipped_,
                             [line](std::string_view prefix) { return line.starts_with(prefix); });
}

void LineSplitter::remember_tail(std::string_view piece) {
  if (piece.size() < limits::line_tail_size_max) {
    tail_.append(piece);
    if (tail_.size() > limits::line_tail_size_max) {
      tail_.erase(0, tail_.size() - limits::line_tail_size_max);
    }
  } else {
    tail_.assign(last_bytes(piece, limits::line_tail_size_max));
  }
}

void LineSplitter::drop_middle(Mode mode) {
  mode_ = mode;
  tail_.assign(last_bytes(held_, limits::line_tail_size_max));
  held_.resize(std::min(held_.size(), limits::line_head_size_max));
  release_if_large();
}

void LineSplitter::keep(std::string_view piece) {
  length_ += piece.size();
  if (mode_ == Mode::undecided) {
    const std::size_t wanted = std::min(piece.size(), decision_size_ - held_.size());
    held_.append(piece.substr(0, wanted));
    piece.remove_prefix(wanted);
    if (held_.size() < decision_size_) return;
    mode_ = Mode::collecting;
    if (is_skipped(held_)) drop_middle(Mode::skipping);
  }
  if (mode_ == Mode::collecting) {
    if (piece.size() <= limits::line_size_max - held_.size()) {
      held_.append(piece);
      return;
    }
    drop_middle(Mode::oversized);
  }
  remember_tail(piece);
  if (held_.size() < limits::line_head_size_max) {
    held_.append(piece.substr(0, limits::line_head_size_max - held_.size()));
  }
}

Line LineSplitter::complete(std::string_view last_piece, LineEnd end) {
  Line line;
  line.end = end;
  line.start = start_;
  if (length_ == 0) {
    // The usual case: the line lies whole in the chunk, and is looked at where it is.
    line.length = last_piece.size();
    line.bytes = last_piece;
    if (is_skipped(last_piece)) {
      line.kind = LineKind::skipped;
    } else if (last_piece.size() > limits::line_size_max) {
      line.kind = LineKind::oversized;
    }
  } else {
    keep(last_piece);
    line.length = length_;
    line.bytes = held_;
    line.tail = tail_;
    switch (mode_) {
      case Mode::undecided:
        if (is_skipped(held_)) line.kind = LineKind::skipped;
        break;
      case Mode::collecting:
        break;
      case Mode::skipping:
        line.kind = LineKind::skipped;
        break;
      case Mode::oversized:
        line.kind = LineKind::oversized;
        break;
    }
  }
  if (line.tail.empty()) line.tail = last_bytes(line.bytes, limits::line_tail_size_max);
  if (line.kind != LineKind::whole) {
    line.bytes = line.bytes.substr(0, limits::line_head_size_max);
  }
  return line;
}

void LineSplitter::open_next(const Line& line) {
  start_.offset += line.length + (line.end == LineEnd::newline ? 1 : 0);
  start_.number += 1;
  length_ = 0;
  mode_ = Mode::undecided;
  held_.clear();
  tail_.clear();
  release_if_large();
}

void LineSplitter::release_if_large() {
  if (held_.capacity() > limits::retained_buffer_size_max) held_.shrink_to_fit();
}

}  // namespace pievt::pi
