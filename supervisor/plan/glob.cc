// See glob.h. A star takes as little as it can at first and one character more whenever what
// follows does not fit. Only the last star of each kind has to be tried again: an earlier one could
// only bring the later one to a place that it reaches by itself.
#include "supervisor/plan/glob.h"

#include <cstddef>

namespace pievt::plan {
namespace {

/// A star that has been passed: where to go on in the pattern, and the first character it has not
/// taken.
struct Star {
  std::size_t after = std::string_view::npos;
  std::size_t untaken = 0;

  bool is_there() const { return after != std::string_view::npos; }
};

}  // namespace

bool has_wildcard(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  Star one;  // `*`
  Star two;  // `**`
  std::size_t p = 0;
  std::size_t t = 0;
  while (t < text.size() || p < pattern.size()) {
    if (pattern.substr(p).starts_with("**")) {
      p += 2;
      two = {p, t};
      one = {};
    } else if (p < pattern.size() && pattern[p] == '*') {
      one = {++p, t};
    } else if (t < text.size() && p < pattern.size() &&
               (pattern[p] == text[t] || (pattern[p] == '?' && text[t] != '/'))) {
      ++p;
      ++t;
    } else if (one.is_there() && one.untaken < text.size() && text[one.untaken] != '/') {
      t = ++one.untaken;
      p = one.after;
    } else if (two.is_there() && two.untaken < text.size()) {
      t = ++two.untaken;
      p = two.after;
      one = {};
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace pievt::plan
