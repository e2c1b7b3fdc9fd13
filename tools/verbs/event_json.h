// An event as a JSON object: what -o json and -o jsonl of `log` write, and what an export is made
// of. Members are only ever added.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pievt/event.h"
#include "pievt/result.h"
#include "tools/render/json_writer.h"
#include "tools/verbs/event_names.h"

namespace pievt::tools {

inline constexpr std::string_view event_schema = "pievt.event";
inline constexpr int event_schema_version = 1;

/// The names of an event's members, in their order.
std::span<const std::string_view> event_members();

/// invalid: `fields` has a name that is none of event_members(); the sentence lists them.
Status check_event_fields(std::span<const std::string> fields);

/// Writes the members of one event into the object that is open. `fields`: only these; empty: all.
/// Numbers that can exceed 2^53 are strings, times are RFC 3339 in UTC, and what does not apply is
/// null.
void write_event_members(render::JsonWriter& json, const EventView& event, EventNames& names,
                         std::span<const std::string> fields);

/// The payload alone, on one line; "null" for an event of an unknown type.
std::string payload_json(const EventView& event);

}  // namespace pievt::tools
