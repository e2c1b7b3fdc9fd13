// JavaScript regular expressions, said in the words of PCRE2.
//
// Contracts are written for JavaScript's RegExp with the flag m. Both engines know most of the
// same syntax, and where they differ they differ silently: `\s`, `.`, `^` and `$` know other line
// ends and spaces, `\A` or `\h` are plain letters in one and classes in the other, `a++` is an
// error in one and possessive in the other. So a pattern is read as JavaScript reads it and written
// anew.
//
// The subset (docs/plan.md says it to users): everything of RegExp but back references to groups
// that do not exist (an octal number in JavaScript), lone surrogates, and lookbehinds whose
// alternatives have no fixed length. Texts are read by characters, as with the flag u, so an emoji
// is one `.`; without u, `\p{…}` and `\u{…}` are the plain letters that they are in JavaScript.
#pragma once

#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt::acceptance {

enum class Flag : std::uint8_t { off, on };

struct PcrePattern {
  std::string text;              ///< for PCRE2 with UTF and nothing else
  Flag ignore_case = Flag::off;  ///< what a leading `(?i)` asked for
};

/// Pure. A leading group of flags, letters of `imsu` in either case, is taken off first, as pi-jobs
/// does. Errc::invalid: it is no regular expression of JavaScript's, with the byte where it stops
/// being one; or it is outside of the subset.
Result<PcrePattern> translate(std::string_view pattern);

}  // namespace pievt::acceptance
