// See js_pattern.h.
#include "supervisor/check/js_pattern.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "supervisor/check/js_words.h"

namespace pievt::acceptance {
namespace {

enum class In : std::uint8_t { pattern, character_class };

class Translator {
 public:
  Translator(std::string_view pattern, std::size_t at, Flag unicode, Flag dot_all)
      : in_(pattern), at_(at), unicode_(unicode), dot_all_(dot_all) {
    count_groups();
  }

  Result<std::string> all() {
    while (at_ < in_.size()) PIEVT_TRY(one());
    if (depth_ > 0) return wrong("a group is not closed");
    return std::move(out_);
  }

 private:
  Error wrong(std::string_view what) const {
    return {Errc::invalid, fmt::format("{} at byte {}", what, at_)};
  }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0';
  }
  bool starts(std::string_view text) const { return in_.substr(at_).starts_with(text); }

  // References to a group may stand before it, so they are counted first.
  void count_groups() {
    bool in_class = false;
    for (std::size_t i = at_; i < in_.size(); ++i) {
      if (in_[i] == '\\') {
        ++i;
      } else if (in_class) {
        in_class = in_[i] != ']';
      } else if (in_[i] == '[') {
        in_class = true;
      } else if (in_[i] == '(') {
        const std::string_view rest = in_.substr(i + 1);
        const bool named =
            rest.starts_with("?<") && !rest.starts_with("?<=") && !rest.starts_with("?<!");
        has_names_ = has_names_ || named;
        if (named || !rest.starts_with("?")) ++groups_;
      }
    }
  }

  void put(std::string_view text) {
    out_ += text;
    repeatable_ = true;
  }
  void assertion(std::string_view text) {
    out_ += text;
    repeatable_ = false;
  }

  Status one() {
    switch (peek()) {
      case '\\':
        return escape(In::pattern);
      case '[':
        return character_class();
      case '(':
        return group();
      case ')':
        if (depth_ == 0) return wrong("a ) without its (");
        --depth_;
        ++at_;
        put(")");
        return {};
      case '|':
        ++at_;
        assertion("|");
        return {};
      case '^':
        ++at_;
        assertion(fmt::format("(?<![^{}])", line_ends));
        return {};
      case '$':
        ++at_;
        assertion(fmt::format("(?![^{}])", line_ends));
        return {};
      case '.':
        ++at_;
        put(dot_all_ == Flag::on ? std::string("(?s:.)") : fmt::format("[^{}]", line_ends));
        return {};
      case '*':
      case '+':
      case '?':
        return quantifier(1);
      case '{':
        if (const std::size_t size = braces(); size > 0) return quantifier(size);
        break;
      default:
        break;
    }
    literal();
    return {};
  }

  // One byte that means itself; bytes of longer characters pass one by one.
  void literal() {
    const char c = in_[at_++];
    if (static_cast<unsigned char>(c) < 0x80 && !is_word(c)) out_ += '\\';
    // A NUL after a backslash is a NUL, to PCRE2 as well.
    put(std::string_view(&c, 1));
  }

  // The length of `{2}`, `{2,}` or `{2,3}` here; 0: it is a brace that means itself.
  std::size_t braces() const {
    std::size_t i = 1;
    while (is_digit(peek(i))) ++i;
    if (i == 1) return 0;
    if (peek(i) == ',') {
      ++i;
      while (is_digit(peek(i))) ++i;
    }
    return peek(i) == '}' ? i + 1 : 0;
  }

  Status quantifier(std::size_t size) {
    if (!repeatable_) return wrong("nothing to repeat");
    out_ += in_.substr(at_, size);
    at_ += size;
    if (peek() == '?' && at_ < in_.size()) {
      out_ += '?';
      ++at_;
    }
    repeatable_ = false;
    return {};
  }

  Status group() {
    constexpr std::array<std::string_view, 5> known = {"(?:", "(?=", "(?!", "(?<=", "(?<!"};
    ++depth_;
    for (const std::string_view begin : known) {
      if (!starts(begin)) continue;
      at_ += begin.size();
      assertion(begin);
      return {};
    }
    if (!starts("(?")) {
      ++at_;
      assertion("(");
      return {};
    }
    if (!starts("(?<"))
      return wrong("a group begins with (? and something JavaScript does not know");
    at_ += 3;
    const std::string name = PIEVT_TRY(group_name());
    assertion(fmt::format("(?<{}>", name));
    return {};
  }

  Result<std::string> group_name() {
    std::string name;
    while (at_ < in_.size() && is_word(peek())) name += in_[at_++];
    if (name.empty() || is_digit(name.front()) || peek() != '>')
      return wrong("the name of a group must be letters, digits and _, and end with >");
    ++at_;
    return name;
  }

  Status character_class() {
    ++at_;
    const bool negated = peek() == '^' && at_ < in_.size();
    if (negated) ++at_;
    if (peek() == ']') {
      ++at_;
      put(negated ? "(?s:.)" : "(?!)");
      return {};
    }
    out_ += negated ? "[^" : "[";
    while (peek() != ']') {
      if (at_ >= in_.size()) return wrong("a class is not closed");
      if (peek() == '\\') {
        PIEVT_TRY(escape(In::character_class));
      } else if (peek() == '-') {
        out_ += '-';
        ++at_;
      } else {
        literal();
      }
    }
    ++at_;
    put("]");
    return {};
  }

  // The number of `size` hexadecimal digits that begin `ahead` bytes from here.
  std::optional<std::uint32_t> hex(std::size_t ahead, std::size_t size) const {
    std::uint32_t value = 0;
    for (std::size_t i = ahead; i < ahead + size; ++i) {
      if (!is_hex(peek(i))) return std::nullopt;
      const char c = peek(i);
      value =
          value * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
  }

  void put_code(std::uint32_t code) { put(fmt::format("\\x{{{:x}}}", code)); }

  Status escape(In in) {
    const char c = peek(1);
    if (at_ + 1 >= in_.size()) return wrong("a \\ at the end");
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 'n':
      case 'r':
      case 't':
      case 'f':
        put(in_.substr(at_, 2));
        at_ += 2;
        return {};
      case 's':
      case 'S':
        put(in == In::pattern ? fmt::format("[{}{}]", c == 'S' ? "^" : "", spaces)
                              : std::string(c == 's' ? spaces : not_spaces));
        at_ += 2;
        return {};
      case 'v':
        put("\\x0b");
        at_ += 2;
        return {};
      case 'b':
      case 'B':
        return boundary(in, c);
      case 'c':
        return control();
      case 'x':
        return hexadecimal();
      case 'u':
        return code_point();
      case 'k':
        return named_reference(in);
      case 'p':
      case 'P':
        if (unicode_ == Flag::on) return property();
        break;
      default:
        if (is_digit(c)) return number(in);
        break;
    }
    ++at_;  // any other character means itself
    literal();
    return {};
  }

  Status boundary(In in, char c) {
    at_ += 2;
    if (in == In::pattern)
      assertion(c == 'b' ? "\\b" : "\\B");
    else
      put(c == 'b' ? "\\x08" : "B");
    return {};
  }

  Status control() {
    if (!is_letter(peek(2))) {
      put("\\\\");  // JavaScript's way out: the backslash means itself, and the c too
      ++at_;
      return {};
    }
    put_code(static_cast<std::uint32_t>(peek(2)) & 0x1f);
    at_ += 3;
    return {};
  }

  Status hexadecimal() {
    if (const auto code = hex(2, 2)) {
      put_code(*code);
      at_ += 4;
    } else {
      put("x");
      at_ += 2;
    }
    return {};
  }

  Status code_point() {
    if (unicode_ == Flag::on && peek(2) == '{') {
      std::size_t size = 0;
      while (is_hex(peek(3 + size))) ++size;
      const auto code = size == 0 || size > 6 ? std::nullopt : hex(3, size);
      if (!code || peek(3 + size) != '}' || *code > 0x10ffff)
        return wrong("\\u{ } needs a code point");
      if (*code >= 0xd800 && *code < 0xe000) return wrong("half of a surrogate pair");
      put_code(*code);
      at_ += 4 + size;
      return {};
    }
    const auto unit = hex(2, 4);
    if (!unit) {
      put("u");
      at_ += 2;
      return {};
    }
    at_ += 6;
    if (*unit < 0xd800 || *unit >= 0xe000) {
      put_code(*unit);
      return {};
    }
    const auto low = starts("\\u") ? hex(2, 4) : std::nullopt;
    if (*unit >= 0xdc00 || !low || *low < 0xdc00 || *low >= 0xe000)
      return wrong("half of a surrogate pair");
    at_ += 6;
    put_code(0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00));
    return {};
  }

  Status named_reference(In in) {
    if (!has_names_ || in == In::character_class) {
      put("k");
      at_ += 2;
      return {};
    }
    if (peek(2) != '<') return wrong("\\k needs the name of a group");
    at_ += 3;
    put(fmt::format("\\k<{}>", PIEVT_TRY(group_name())));
    return {};
  }

  Status property() {
    const std::size_t end = in_.find('}', at_);
    if (peek(2) != '{' || end == std::string_view::npos)
      return wrong("\\p needs the name of a property");
    put(in_.substr(at_, end + 1 - at_));
    at_ = end + 1;
    return {};
  }

  Status number(In in) {
    std::size_t size = 1;
    while (is_digit(peek(1 + size)) && size < 5) ++size;
    const std::string_view digits = in_.substr(at_ + 1, size);
    if (digits == "0") {
      put_code(0);
      at_ += 2;
      return {};
    }
    std::uint32_t value = 0;
    for (const char c : digits) value = value * 10 + static_cast<std::uint32_t>(c - '0');
    if (in == In::character_class || digits.front() == '0' || value > groups_)
      return wrong(fmt::format("\\{} names no group", digits));
    put(fmt::format("\\g{{{}}}", value));
    at_ += 1 + size;
    return {};
  }

  std::string_view in_;
  std::size_t at_;
  Flag unicode_, dot_all_;
  std::string out_;
  bool repeatable_ = false;
  bool has_names_ = false;
  std::uint32_t groups_ = 0;
  std::uint32_t depth_ = 0;
};

// The letters of a leading `(?ims)`, or nothing.
std::string_view leading_flags(std::string_view pattern) {
  if (!pattern.starts_with("(?")) return {};
  const std::size_t end = pattern.find(')');
  if (end == std::string_view::npos || end == 2) return {};
  const std::string_view letters = pattern.substr(2, end - 2);
  return letters.find_first_not_of("imsuIMSU") == std::string_view::npos ? letters
                                                                         : std::string_view{};
}

}  // namespace

Result<PcrePattern> translate(std::string_view pattern) {
  const std::string_view letters = leading_flags(pattern);
  const auto has = [&](std::string_view either) {
    return letters.find_first_of(either) == std::string_view::npos ? Flag::off : Flag::on;
  };
  const std::size_t begin = letters.empty() ? 0 : letters.size() + 3;
  Translator translator(pattern, begin, has("uU"), has("sS"));
  PcrePattern out;
  out.ignore_case = has("iI");
  out.text = PIEVT_TRY(translator.all());
  return out;
}

}  // namespace pievt::acceptance
