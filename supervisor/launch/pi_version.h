// The version of a pi: what decides which flags it knows and which of its faults are worked around.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pievt::launch {

struct PiVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t patch = 0;

  /// Reads `1.5.2` or `v1.5.2`. What follows a `-` or `+` is read over: a release candidate has the
  /// flags of its release. nullopt for anything else.
  static std::optional<PiVersion> parse(std::string_view text);

  /// "1.5.2".
  std::string text() const;

  friend auto operator<=>(const PiVersion&, const PiVersion&) = default;
};

/// The oldest pi whose output and flags are known; older ones are refused.
inline constexpr PiVersion oldest_supported{0, 73, 0};

/// From here on pi ends a broken stream as an error, settles before it exits, and compacts safely
/// in json mode. What lies between 0.73 and this is treated with the caution 0.73 needs.
inline constexpr PiVersion first_settled{1, 0, 0};

/// Which of pi's two machine protocols a child speaks.
enum class PiMode : std::uint8_t {
  json,  ///< one prompt from a file, events to a file
  rpc,   ///< commands and answers over pipes
};

}  // namespace pievt::launch
