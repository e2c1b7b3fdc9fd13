#include "supervisor/lint/zones.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

namespace pievt::lint {
namespace {

enum class Piece : std::uint8_t { letter, in_name, anything };

struct Token {
  Piece piece;
  char letter = '\0';
};

// As acceptance::matches() reads patterns: one that ends with `/` covers what is below, and a star
// in it is only a letter.
std::vector<Token> tokens_of(std::string_view pattern) {
  std::vector<Token> tokens;
  const bool is_directory = pattern.ends_with('/') || pattern.ends_with('\\');
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '*' || is_directory) {
      tokens.push_back({Piece::letter, pattern[i] == '\\' ? '/' : pattern[i]});
    } else if (i + 1 < pattern.size() && pattern[i + 1] == '*') {
      tokens.push_back({Piece::anything});
      ++i;
    } else {
      tokens.push_back({Piece::in_name});
    }
  }
  if (is_directory) tokens.push_back({Piece::anything});
  return tokens;
}

bool takes(const Token& token, char c) {
  return token.piece == Piece::anything || (token.piece == Piece::in_name && c != '/') ||
         (token.piece == Piece::letter && token.letter == c);
}

bool is_star(const Token& token) {
  return token.piece != Piece::letter;
}

}  // namespace

bool overlap(std::string_view a, std::string_view b) {
  const std::vector<Token> left = tokens_of(a), right = tokens_of(b);
  // reached[j]: some text is matched by the first i tokens of the left and the first j of the
  // right, where a star counts as begun.
  std::vector<std::vector<bool>> reached(left.size() + 1,
                                         std::vector<bool>(right.size() + 1, false));
  reached[0][0] = true;
  for (std::size_t i = 0; i <= left.size(); ++i) {
    for (std::size_t j = 0; j <= right.size(); ++j) {
      if (!reached[i][j]) continue;
      const bool more_left = i < left.size(), more_right = j < right.size();
      if (more_left && is_star(left[i])) reached[i + 1][j] = true;  // stands for nothing
      if (more_right && is_star(right[j])) reached[i][j + 1] = true;
      const auto letter = [](const Token& token) { return token.piece == Piece::letter; };
      if (more_left && more_right && letter(left[i]) && letter(right[j]) &&
          left[i].letter == right[j].letter)
        reached[i + 1][j + 1] = true;
      // A star that is begun goes on taking the other side's letters.
      if (i > 0 && is_star(left[i - 1]) && more_right && letter(right[j]) &&
          takes(left[i - 1], right[j].letter))
        reached[i][j + 1] = true;
      if (j > 0 && is_star(right[j - 1]) && more_left && letter(left[i]) &&
          takes(right[j - 1], left[i].letter))
        reached[i + 1][j] = true;
    }
  }
  return reached[left.size()][right.size()];
}

std::string from_run(const std::string& directory, const std::string& pattern) {
  if (pattern.starts_with('/')) return pattern;
  std::string where = std::filesystem::path(directory).lexically_normal().string();
  while (where.ends_with('/')) where.pop_back();
  return where.empty() || where == "." ? pattern : where + "/" + pattern;
}

std::string cannot_match(std::string_view pattern) {
  std::string clean(pattern);
  std::ranges::replace(clean, '\\', '/');
  if (clean.starts_with("./"))
    return fmt::format("paths are written without \"./\"; use \"{}\"", clean.substr(2));
  if (clean.find("/./") != std::string::npos) return "paths hold no \"/./\"";
  if (clean.starts_with("../") || clean.find("/../") != std::string::npos)
    return "paths outside of the job's directory are written whole, from \"/\"";
  if (clean.find("//") != std::string::npos) return "paths hold no \"//\"";
  if (clean == "." || clean == "..") return "no file has this path";
  return {};
}

}  // namespace pievt::lint
