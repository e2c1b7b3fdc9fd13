// See regex.h. This and tools/verbs/text_pattern.cc are the files that know PCRE2.
#include "supervisor/check/regex.h"

#include <algorithm>
#include <array>
#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <fmt/format.h>

#include "supervisor/check/js_pattern.h"

namespace pievt::acceptance {
namespace {

using Clock = std::chrono::steady_clock;

// Longer ones are no patterns but texts.
constexpr std::size_t pattern_bytes_max = 4096;

// PCRE2 counts steps and memory itself; time it does not know, so it is asked between two steps.
constexpr std::uint32_t steps_max = 10'000'000;
constexpr std::uint32_t heap_kib_max = 64 << 10;
constexpr int out_of_time = -1000;

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using Code = std::unique_ptr<pcre2_code, Release<pcre2_code_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>>;

int ask_time(pcre2_callout_block*, void* deadline) {
  return Clock::now() < *static_cast<const Clock::time_point*>(deadline) ? 0 : out_of_time;
}

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

std::string why(int error) {
  switch (error) {
    case out_of_time:
      return fmt::format("undecided: it took longer than {} ms", search_time_max.count());
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
      return fmt::format("undecided: it took more than {} steps", steps_max);
    case PCRE2_ERROR_HEAPLIMIT:
      return fmt::format("undecided: it took more than {} MiB", heap_kib_max >> 10);
    default:
      return "undecided: " + message_of(error);
  }
}

}  // namespace

struct Regex::Impl {
  Code code;
};

Regex::Regex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > pattern_bytes_max)
    return Error{Errc::invalid, fmt::format("a pattern has at most {} bytes, this one {}",
                                            pattern_bytes_max, pattern.size())};
  const PcrePattern translated = PIEVT_TRY(translate(pattern));
  const std::uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_MATCH_UNSET_BACKREF |
                                PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C |
                                (translated.ignore_case == Flag::on ? PCRE2_CASELESS : 0u);
  int error = 0;
  PCRE2_SIZE offset = 0;
  Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.text.data()),
                          translated.text.size(), options, &error, &offset, nullptr));
  if (code == nullptr) return Error{Errc::invalid, message_of(error)};
  return Regex(std::make_unique<Impl>(Impl{std::move(code)}));
}

Search Regex::search(std::string_view text, Clock::time_point deadline) const {
  Clock::time_point end = std::min(deadline, Clock::now() + search_time_max);
  const MatchContext context(pcre2_match_context_create(nullptr));
  const MatchData data(pcre2_match_data_create_from_pattern(impl_->code.get(), nullptr));
  if (context == nullptr || data == nullptr)
    return {Found::undecided, 0, 0, "undecided: there is no memory for it"};
  pcre2_set_match_limit(context.get(), steps_max);
  pcre2_set_heap_limit(context.get(), heap_kib_max);
  pcre2_set_callout(context.get(), ask_time, &end);
  const int found = pcre2_match(impl_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                text.size(), 0, 0, data.get(), context.get());
  if (found == PCRE2_ERROR_NOMATCH) return {};
  if (found < 0) return {Found::undecided, 0, 0, why(found)};
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
  return {Found::yes, std::min(bounds[0], bounds[1]), bounds[1], {}};
}

}  // namespace pievt::acceptance
