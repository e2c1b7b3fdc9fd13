// The payload of any event in one line, for eyes. Nothing here knows a single event: fields come
// from the schema, so an event type that is added tomorrow is shown without a line of code.
#pragma once

#include <string>
#include <vector>

#include "pievt/event.h"
#include "tools/render/terminal.h"

namespace pievt::tools {

struct ShownField {
  std::string name;
  std::string text;  ///< harmless for a terminal, on one line, not quoted
  /// How much it tells: what sort of thing happened before how much, and both before long texts.
  enum class Rank : std::uint8_t { word, name, number, sentence, list, body } rank = Rank::word;
  render::Style style = render::Style::plain;
};

/// The fields of the payload that say something (defaults do not), in the order of the schema.
/// Times, sizes and money are in units for people. Empty for an event of an unknown type.
std::vector<ShownField> payload_fields(const EventView& event);

/// The most telling first, as `status=failed reason="it gave up"`.
std::string fields_line(std::vector<ShownField> fields, const render::Terminal& terminal);

}  // namespace pievt::tools
