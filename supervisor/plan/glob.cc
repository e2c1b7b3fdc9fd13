// See glob.h. All positions of the pattern that are possible so far are followed at once, so that
// no pattern can make it go back and forth.
#include "supervisor/plan/glob.h"

#include <vector>

namespace pievt::plan {
namespace {

/// Marks `at` and what can be reached from it without reading a character.
void reach(std::string_view pattern, std::vector<char>& possible, std::size_t at) {
  while (!possible[at]) {
    possible[at] = 1;
    if (at == pattern.size() || pattern[at] != '*') return;
    at += pattern.substr(at).starts_with("**") ? 2u : 1u;
  }
}

}  // namespace

bool has_wildcard(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::vector<char> possible(pattern.size() + 1, 0);
  std::vector<char> next;
  reach(pattern, possible, 0);
  for (const char c : text) {
    next.assign(pattern.size() + 1, 0);
    for (std::size_t at = 0; at < pattern.size(); ++at) {
      if (!possible[at]) continue;
      if (pattern[at] == '*') {
        if (c != '/' || pattern.substr(at).starts_with("**")) reach(pattern, next, at);
      } else if (pattern[at] == c || (pattern[at] == '?' && c != '/')) {
        reach(pattern, next, at + 1);
      }
    }
    possible.swap(next);
  }
  return possible[pattern.size()] != 0;
}

}  // namespace pievt::plan
