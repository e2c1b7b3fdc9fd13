#include "pievt/event.h"

#include <array>
#include <string>

namespace pievt {
namespace {

// Names for every value a tag byte can have, so that a string_view of any of them lives for ever.
const std::array<std::string, 256>& names() {
  static const std::array<std::string, 256> all = [] {
    std::array<std::string, 256> made;
    for (std::size_t tag = 0; tag < made.size(); ++tag) {
      const auto type = static_cast<schema::Payload>(tag);
      made[tag] = tag != 0 && type <= schema::Payload::MAX ? schema::EnumNamePayload(type)
                                                           : "unknown(" + std::to_string(tag) + ")";
    }
    return made;
  }();
  return all;
}

}  // namespace

std::string_view type_name(schema::Payload type) {
  return names()[static_cast<std::uint8_t>(type)];
}

std::optional<Payload> unpack(const EventView& event) {
  std::optional<Payload> value;
  visit(event, [&](const auto& table) {
    typename std::decay_t<decltype(table)>::NativeTableType native;
    table.UnPackTo(&native);
    value.emplace(std::move(native));
  });
  return value;
}

}  // namespace pievt
