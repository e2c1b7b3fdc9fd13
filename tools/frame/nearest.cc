// Optimal string alignment: Levenshtein with swaps of neighbours, which is what fast fingers do.
#include "tools/frame/nearest.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace pievt::tools {
namespace {

constexpr std::size_t word_size_max = 64;  // the table is quadratic, and no name of ours is longer

int tolerated(std::string_view word) {
  return std::clamp(static_cast<int>(word.size()) / 3, 1, 3);
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<int> table((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> int& { return table[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = static_cast<int>(i);
  for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int replaced = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
      }
    }
  }
  return at(a.size(), b.size());
}

std::optional<std::string_view> nearest(std::string_view typed,
                                        std::span<const std::string_view> words) {
  if (typed.empty() || typed.size() > word_size_max) return std::nullopt;
  if (typed.size() >= 2) {
    const auto begun =
        std::ranges::find_if(words, [&](std::string_view word) { return word.starts_with(typed); });
    if (begun != words.end()) return *begun;
  }
  std::optional<std::string_view> best;
  int best_distance = 0;
  for (const std::string_view word : words) {
    const int distance = edit_distance(typed, word);
    if (distance > tolerated(word) || (best && distance >= best_distance)) continue;
    best = word;
    best_distance = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> words) {
  const auto word = nearest(typed, words);
  return word ? fmt::format(" (did you mean \"{}\"?)", *word) : "";
}

}  // namespace pievt::tools
