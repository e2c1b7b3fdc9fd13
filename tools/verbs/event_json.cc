#include "tools/verbs/event_json.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "store/format/reflect_json.h"
#include "tools/render/text.h"

namespace pievt::tools {
namespace {

using render::JsonWriter;

struct Source {
  const EventView& event;
  EventNames& names;
};

void number_or_null(JsonWriter& json, std::uint64_t number) {
  if (number == 0) {
    json.null();
  } else {
    json.value(number);
  }
}

std::string utc(std::uint64_t time_ns) {
  return render::rfc3339(static_cast<std::int64_t>(time_ns), render::Zone::utc,
                         render::Precision::nanoseconds);
}

struct Member {
  std::string_view name;
  void (*write)(JsonWriter&, const Source&);
};

constexpr std::array members = {
    Member{"sequence",
           [](JsonWriter& json, const Source& s) { json.value(s.event.sequence.value); }},
    Member{"revision",
           [](JsonWriter& json, const Source& s) { json.value(s.event.revision().value); }},
    Member{"stream",
           [](JsonWriter& json, const Source& s) { json.value(s.names.stream(s.event)); }},
    Member{"id",
           [](JsonWriter& json, const Source& s) {
             json.begin_object()
                 .member("append", to_string(s.event.id.append))
                 .member("index", s.event.id.index)
                 .end_object();
           }},
    Member{"time", [](JsonWriter& json, const Source& s) { json.value(utc(s.event.time_ns())); }},
    Member{"recorded_ns",
           [](JsonWriter& json, const Source& s) {
             json.value(s.event.stamp->wall_ns(), JsonWriter::Integers::strings);
           }},
    Member{"monotonic_ns",
           [](JsonWriter& json, const Source& s) {
             json.value(s.event.stamp->monotonic_ns(), JsonWriter::Integers::strings);
           }},
    Member{"actor", [](JsonWriter& json, const Source& s) { json.value(s.event.stamp->actor()); }},
    Member{"job",
           [](JsonWriter& json, const Source& s) {
             const std::string job = s.names.job(s.event);
             if (job.empty()) {
               json.null();
             } else {
               json.value(job);
             }
           }},
    Member{"attempt", [](JsonWriter& json,
                         const Source& s) { number_or_null(json, s.event.head().attempt()); }},
    Member{"gate",
           [](JsonWriter& json, const Source& s) { number_or_null(json, s.event.head().gate()); }},
    Member{"worker", [](JsonWriter& json,
                        const Source& s) { number_or_null(json, s.event.head().worker()); }},
    Member{"artifact", [](JsonWriter& json,
                          const Source& s) { number_or_null(json, s.event.head().artifact()); }},
    Member{"message", [](JsonWriter& json,
                         const Source& s) { number_or_null(json, s.event.head().message()); }},
    Member{"causation", [](JsonWriter& json,
                           const Source& s) { number_or_null(json, s.event.head().causation()); }},
    Member{"correlation",
           [](JsonWriter& json, const Source& s) {
             number_or_null(json, s.event.head().correlation());
           }},
    Member{"type",
           [](JsonWriter& json, const Source& s) { json.value(type_name(s.event.type())); }},
    Member{"payload", [](JsonWriter& json, const Source& s) { json.raw(payload_json(s.event)); }},
};

constexpr auto member_names = [] {
  std::array<std::string_view, members.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = members[i].name;
  return names;
}();

}  // namespace

std::span<const std::string_view> event_members() {
  return member_names;
}

Status check_event_fields(std::span<const std::string> fields) {
  for (const std::string& field : fields) {
    if (std::ranges::find(member_names, field) != member_names.end()) continue;
    return Error{Errc::invalid, fmt::format("--fields: there is no \"{}\"; there are {}", field,
                                            fmt::join(member_names, ", "))};
  }
  return {};
}

void write_event_members(JsonWriter& json, const EventView& event, EventNames& names,
                         std::span<const std::string> fields) {
  const Source source{event, names};
  for (const Member& member : members) {
    if (!fields.empty() && std::ranges::find(fields, member.name) == fields.end()) continue;
    json.key(member.name);
    member.write(json, source);
  }
}

std::string payload_json(const EventView& event) {
  const reflect::Schema& schema = reflect::Schema::embedded_events();
  const auto* table =
      schema.member_table(*schema.root_union(), static_cast<std::int64_t>(event.type()));
  if (table == nullptr) return "null";
  Result<std::string> text =
      reflect::object_to_json(schema, *table, event.body, event.envelope->payload());
  return text.ok() ? std::move(*text) : "null";
}

}  // namespace pievt::tools
