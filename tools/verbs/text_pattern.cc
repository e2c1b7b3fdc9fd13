#include "tools/verbs/text_pattern.h"

#include <algorithm>
#include <array>
#include <cstring>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <fmt/format.h>

namespace pievt::tools {
namespace {

constexpr std::uint32_t steps_max = 5'000'000;

// How often a byte stands in what agents write, roughly: nothing is wrong where it is not so, only
// slower.
int frequency(unsigned char byte) {
  constexpr std::string_view by_frequency = " etaoinsrlcdupm.\n0/fg\"h1b_y-2:v3,kw54()xTSAEC";
  if (const std::size_t place = by_frequency.find(static_cast<char>(byte));
      place != by_frequency.npos)
    return 255 - static_cast<int>(place);
  if (byte >= 'A' && byte <= 'Z') return 100;
  if (byte >= 'a' && byte <= 'z') return 80;
  return byte >= 0x80 ? 40 : 60;
}

std::size_t rarest_of(std::string_view text) {
  const auto found = std::ranges::min_element(
      text, {}, [](char c) { return frequency(static_cast<unsigned char>(c)); });
  return static_cast<std::size_t>(found - text.begin());
}

// Looks for the rarest byte of `wanted`, which the library does some times faster than for the
// whole; npos where there is none. Where that byte turns out not to be rare, the library's search
// goes on.
std::size_t find_fixed(std::string_view text, std::string_view wanted, std::size_t rarest,
                       std::size_t from) {
  constexpr std::size_t scanned_per_candidate_min = 64;
  if (text.size() - from < wanted.size()) return text.npos;
  const char* const last = text.data() + text.size() - wanted.size() + rarest;
  const char* const begin = text.data() + from + rarest;
  std::size_t candidates = 0;
  for (const char* at = begin; at <= last;) {
    at = static_cast<const char*>(
        std::memchr(at, wanted[rarest], static_cast<std::size_t>(last - at) + 1));
    if (at == nullptr) return text.npos;
    const char* const start = at - rarest;
    if (std::memcmp(start, wanted.data(), wanted.size()) == 0)
      return static_cast<std::size_t>(start - text.data());
    ++at;
    const auto scanned = static_cast<std::size_t>(at - begin);
    if (++candidates * scanned_per_candidate_min > scanned + 16 * scanned_per_candidate_min) {
      const auto left = static_cast<std::size_t>(text.data() + text.size() - (start + 1));
      const void* const found = ::memmem(start + 1, left, wanted.data(), wanted.size());
      return found == nullptr
                 ? text.npos
                 : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    }
  }
  return text.npos;
}

// Whether the expression may look at what it does not match: anchors, assertions, and what takes
// all it can get and never gives it back. Told by the letters alone, so a few that do not are taken
// for ones that do.
bool looks_around(std::string_view expression) {
  constexpr std::string_view plain_escapes = "dDsSwWhHvVnrtfepPxo";
  for (std::size_t at = 0; at < expression.size(); ++at) {
    const char c = expression[at];
    const char next = at + 1 < expression.size() ? expression[at + 1] : '\0';
    if (c == '^' || c == '$') return true;
    if (c == '(' && (next == '?' || next == '*')) return true;
    if ((c == '*' || c == '+' || c == '?' || c == '}') && next == '+') return true;
    if (c != '\\') continue;
    const bool letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
    if (letter && plain_escapes.find(next) == plain_escapes.npos) return true;
    ++at;
  }
  return false;
}

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

}  // namespace

struct TextPattern::Impl {
  std::string fixed;  ///< where it is not empty, there is no code
  std::size_t rarest = 0;
  std::unique_ptr<pcre2_code, FreeCode> code;
  bool looks_around = false;

  static pcre2_match_data* data() {
    thread_local const std::unique_ptr<pcre2_match_data, FreeData> made(
        pcre2_match_data_create(32, nullptr));
    return made.get();
  }
  static pcre2_match_context* context() {
    thread_local const std::unique_ptr<pcre2_match_context, FreeContext> made([] {
      auto* limited = pcre2_match_context_create(nullptr);
      if (limited != nullptr) pcre2_set_match_limit(limited, steps_max);
      return limited;
    }());
    return made.get();
  }
  // As pcre2_match(); where it matched is in data().
  int match(std::string_view text, std::size_t from) const {
    return pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       PCRE2_NOTEMPTY, data(), context());
  }
};

TextPattern::TextPattern(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TextPattern::TextPattern(TextPattern&&) noexcept = default;
TextPattern& TextPattern::operator=(TextPattern&&) noexcept = default;
TextPattern::~TextPattern() = default;

Result<TextPattern> TextPattern::compile(std::string_view pattern, PatternKind kind,
                                         LetterCase letters) {
  if (pattern.empty()) return Error{Errc::invalid, "the pattern is empty; every line has that"};
  auto impl = std::make_unique<Impl>();
  if (kind == PatternKind::fixed && letters == LetterCase::matters) {
    impl->fixed = pattern;
    impl->rarest = rarest_of(pattern);
    return TextPattern(std::move(impl));
  }
  std::uint32_t options =
      PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  if (letters == LetterCase::ignored) options |= PCRE2_CASELESS;
  std::string text(pattern);
  if (kind == PatternKind::fixed) {
    // PCRE2_LITERAL does not go with PCRE2_MULTILINE; quoting does the same.
    text = "\\Q";
    for (const char c : pattern) text += c == '\\' ? std::string("\\E\\\\\\Q") : std::string(1, c);
    text += "\\E";
  }
  int error = 0;
  PCRE2_SIZE offset = 0;
  impl->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), options,
                                 &error, &offset, nullptr));
  if (impl->code == nullptr) {
    std::array<PCRE2_UCHAR, 256> message{};
    pcre2_get_error_message(error, message.data(), message.size());
    return Error{Errc::invalid, fmt::format("the pattern is no regular expression: {} (at byte {})",
                                            reinterpret_cast<const char*>(message.data()), offset)};
  }
  pcre2_jit_compile(impl->code.get(), PCRE2_JIT_COMPLETE);
  impl->looks_around = kind == PatternKind::regex && looks_around(pattern);
  return TextPattern(std::move(impl));
}

std::optional<TextMatch> TextPattern::find(std::string_view text, std::size_t from) const {
  if (from >= text.size()) return std::nullopt;
  if (!impl_->fixed.empty()) {
    const std::size_t begin = find_fixed(text, impl_->fixed, impl_->rarest, from);
    if (begin == text.npos) return std::nullopt;
    return TextMatch{begin, begin + impl_->fixed.size()};
  }
  while (from < text.size()) {
    if (impl_->match(text, from) < 0) return std::nullopt;
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(Impl::data());
    if (bounds[1] > bounds[0]) return TextMatch{bounds[0], bounds[1]};
    ++from;
  }
  return std::nullopt;
}

bool TextPattern::may_match_within(std::string_view bytes) const {
  if (!impl_->fixed.empty()) return find(bytes).has_value();
  // One that runs away in all of it may find something in a part of it.
  return impl_->looks_around || impl_->match(bytes, 0) != PCRE2_ERROR_NOMATCH;
}

}  // namespace pievt::tools
