// A regular expression of a contract, asked of a text, within limits of steps, memory and time: a
// pattern that runs away is a question without an answer, never a supervisor that hangs.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt::acceptance {

enum class Found : std::uint8_t { no, yes, undecided };

struct Search {
  Found found = Found::no;
  std::size_t begin = 0, end = 0;  ///< bytes; where it was found
  std::string reason;              ///< why it is undecided, one line
};

/// One search takes no longer than about this.
constexpr std::chrono::milliseconds search_time_max{250};

class Regex {
 public:
  /// `pattern` as JavaScript reads it (js_pattern.h). Errc::invalid: it is none, or too large.
  static Result<Regex> compile(std::string_view pattern);

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  /// The first place in `text`. Bytes that are not UTF-8 match nothing. Ends by `deadline` or after
  /// search_time_max, whichever is sooner.
  Search search(std::string_view text, std::chrono::steady_clock::time_point deadline) const;

 private:
  struct Impl;
  explicit Regex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pievt::acceptance
