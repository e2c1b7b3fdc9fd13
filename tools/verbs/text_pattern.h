// What `pievt grep` looks for: a fixed text, found at the speed of memory, or a regular expression.
// This and supervisor/check/regex.cc are the files that know PCRE2; contracts ask JavaScript's
// patterns within limits, people ask Perl's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt::tools {

struct TextMatch {
  std::size_t begin = 0, end = 0;  ///< bytes
};

enum class PatternKind : std::uint8_t { fixed, regex };
enum class LetterCase : std::uint8_t { matters, ignored };

/// May be used by several threads at once.
class TextPattern {
 public:
  /// invalid: not a regular expression, with the place; or empty.
  static Result<TextPattern> compile(std::string_view pattern, PatternKind kind,
                                     LetterCase letters);

  TextPattern(TextPattern&&) noexcept;
  TextPattern& operator=(TextPattern&&) noexcept;
  ~TextPattern();

  /// The first match at or after `from`. A match is never empty and never spans lines. A regular
  /// expression that runs away finds nothing.
  std::optional<TextMatch> find(std::string_view text, std::size_t from = 0) const;

  /// Whether one of the texts that lie in `bytes` can have a match. It asks all of them at once, so
  /// false is sure and true is not; always true of an expression for which it matters what stands
  /// beside a match, since what stands beside a text in there is nothing of it.
  bool may_match_within(std::string_view bytes) const;

 private:
  struct Impl;
  explicit TextPattern(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pievt::tools
