#include "tools/frame/nearest.h"

#include <algorithm>

#include <fmt/format.h>

namespace pievt::tools {
namespace {

constexpr std::size_t word_size_max = 64;  // the table is quadratic, and no name of ours is longer

int tolerated(std::string_view word) {
  return std::clamp(static_cast<int>(word.size()) / 3, 1, 3);
}

}  // namespace

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
