// Where a message points: a file's text, an offset in it, and the list of what is wrong.
//
// Problems are collected rather than returned one by one, because a plan that is sent back twenty
// times for twenty slips is twenty times as annoying as one that is sent back once.
#pragma once

#include <cstddef>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pievt/result.h"

namespace pievt::plan {

/// One file's text under the name that messages use for it. Immutable.
class Source {
 public:
  struct Position {
    std::size_t line;    ///< from 1
    std::size_t column;  ///< in characters, from 1
  };

  Source(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  /// Bytes of the byte order mark at the beginning: 3 or 0.
  std::size_t mark_bytes() const { return text().starts_with("\xEF\xBB\xBF") ? 3 : 0; }
  /// Where a byte is. An offset past the end is the end. Reads the text from its beginning: meant
  /// for messages.
  Position position(std::size_t offset) const;

 private:
  std::string name_;
  std::string text_;
};

/// All files that one plan consists of. References stay valid as long as it lives.
class Sources {
 public:
  const Source& add(std::string name, std::string text) {
    return sources_.emplace_back(std::move(name), std::move(text));
  }

 private:
  std::deque<Source> sources_;
};

struct Place {
  const Source* source = nullptr;
  std::size_t offset = 0;
};

/// What is wrong with a plan. The first `limits::problems_max` are kept, the others counted.
class Problems {
 public:
  /// Notes that a rule is broken at `place`. The sentence names the rule and has no full stop. A
  /// second problem at the same place is dropped: it is nearly always the same one again, seen from
  /// another row of the matrix.
  void add(const Place& place, std::string sentence);

  bool none() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  /// Whether another one would still be printed; work spent on a good message is wasted otherwise.
  bool wants_more() const;

  /// Errc::invalid with one line `file:line:column: sentence` for each, files in the order in which
  /// they turned up, and in a file by position. Calling it on none is a bug.
  Error error() const;

 private:
  struct Entry {
    Place place;
    std::string sentence;
  };
  std::vector<Entry> entries_;
  std::set<std::pair<const Source*, std::size_t>> seen_;
  std::size_t count_ = 0;
};

}  // namespace pievt::plan
