// The names of the stream's enumerations, in the order of their declarations.
#include "supervisor/pi/stream_events.h"

#include <array>
#include <cstddef>

namespace pievt::pi {

namespace {

template <class Enum, std::size_t size>
std::string_view name_in(const std::array<std::string_view, size>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < size ? names[index] : std::string_view{"unknown"};
}

}  // namespace

std::string_view name_of(Role role) {
  static constexpr std::array<std::string_view, 5> names = {"user", "assistant", "tool_result",
                                                            "system", "other"};
  return name_in(names, role);
}

std::string_view name_of(StopReason reason) {
  static constexpr std::array<std::string_view, 7> names = {
      "none", "stop", "tool_use", "length", "error", "aborted", "other"};
  return name_in(names, reason);
}

std::string_view name_of(CompactionReason reason) {
  static constexpr std::array<std::string_view, 4> names = {"manual", "threshold", "overflow",
                                                            "other"};
  return name_in(names, reason);
}

std::string_view name_of(StreamingKind kind) {
  static constexpr std::array<std::string_view, 5> names = {"unknown", "thinking", "text",
                                                            "tool_call", "tool_output"};
  return name_in(names, kind);
}

std::string_view name_of(UnparsableReason reason) {
  static constexpr std::array<std::string_view, 4> names = {"not_json", "glued", "oversized",
                                                            "unterminated"};
  return name_in(names, reason);
}

LineStart start_of(const Observation& observation) {
  return std::visit([](const auto& event) { return event.at; }, observation);
}

}  // namespace pievt::pi
