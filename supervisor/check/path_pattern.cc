#include "supervisor/check/path_pattern.h"

#include <algorithm>
#include <string>
#include <vector>

namespace pievt::acceptance {
namespace {

std::string with_slashes(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '\\', '/');
  return out;
}

// One pass over the pattern that keeps all the places in the path where it may stand: the time is
// the product of both lengths, whatever the pattern.
bool matches_glob(std::string_view path, std::string_view pattern) {
  std::vector<char> here(path.size() + 1, 0);
  here[0] = 1;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      const bool any = i + 1 < pattern.size() && pattern[i + 1] == '*';
      if (any) ++i;
      for (std::size_t at = 0; at < path.size(); ++at)
        if (here[at] != 0 && (any || path[at] != '/')) here[at + 1] = 1;
      continue;
    }
    std::vector<char> next(path.size() + 1, 0);
    for (std::size_t at = 0; at < path.size(); ++at)
      if (here[at] != 0 && path[at] == pattern[i]) next[at + 1] = 1;
    here = std::move(next);
  }
  return here[path.size()] != 0;
}

}  // namespace

bool matches(std::string_view path, std::string_view pattern) {
  const std::string have = with_slashes(path), want = with_slashes(pattern);
  if (want.ends_with('/')) return have.starts_with(want);
  if (want.find('*') == std::string::npos) return have == want;
  return matches_glob(have, want);
}

}  // namespace pievt::acceptance
