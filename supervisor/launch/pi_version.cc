// See pi_version.h.
#include "supervisor/launch/pi_version.h"

#include <charconv>
#include <system_error>

#include <fmt/format.h>

namespace pievt::launch {
namespace {

/// Takes a number without a sign off the front of `rest`.
std::optional<std::uint32_t> take_number(std::string_view& rest) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{}) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return number;
}

bool take_dot(std::string_view& rest) {
  if (!rest.starts_with('.')) return false;
  rest.remove_prefix(1);
  return true;
}

bool is_suffix(std::string_view rest) {
  if (rest.empty()) return true;
  if (rest.size() < 2 || (rest.front() != '-' && rest.front() != '+')) return false;
  return rest.find_first_not_of(
             "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-+") ==
         std::string_view::npos;
}

}  // namespace

std::optional<PiVersion> PiVersion::parse(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto major = take_number(text);
  if (!major || !take_dot(text)) return std::nullopt;
  const auto minor = take_number(text);
  if (!minor || !take_dot(text)) return std::nullopt;
  const auto patch = take_number(text);
  if (!patch || !is_suffix(text)) return std::nullopt;
  return PiVersion{*major, *minor, *patch};
}

std::string PiVersion::text() const {
  return fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace pievt::launch
