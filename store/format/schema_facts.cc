#include "store/format/schema_facts.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

namespace pievt::reflect {
namespace {

constexpr std::string_view lock_heading =
    "# What stored events depend on, one fact a line, sorted. Lines are added, never changed and "
    "never removed.\n"
    "# Generated from the schemas: cmake --build <build directory> --target schema_lock\n";

std::string_view scalar_text(Base base) {
  constexpr std::array<std::string_view, 14> names = {"none",  "ubyte",  "bool",   "byte",  "ubyte",
                                                      "short", "ushort", "int",    "uint",  "long",
                                                      "ulong", "float",  "double", "string"};
  const auto index = static_cast<std::size_t>(base);
  return index < names.size() ? names[index] : "none";
}

std::string element_text(const Schema& schema, Base base, std::int32_t index) {
  if (index < 0) return std::string(scalar_text(base));
  const auto position = static_cast<std::size_t>(index);
  if (base == Base::object) return schema.objects()[position].name;
  const std::string& name = schema.enums()[position].name;
  return base == Base::union_tag ? "tag of " + name : name;
}

std::string default_text(const Field& field) {
  switch (field.type.base) {
    case Base::float32:
    case Base::float64:
      return fmt::format(" = {}", field.default_real);
    case Base::uint64:
      return fmt::format(" = {}", static_cast<std::uint64_t>(field.default_integer));
    default:
      return is_scalar(field.type.base) ? fmt::format(" = {}", field.default_integer) : "";
  }
}

// Numbers are padded so that sorted lines are in the order of the numbers.
void add_struct(const Schema& schema, const ObjectType& object, std::vector<std::string>& lines) {
  lines.push_back(fmt::format("struct {}: size {}, align {}, members {}", object.name, object.size,
                              object.align, object.fields.size()));
  for (const Field& field : object.fields) {
    lines.push_back(fmt::format("struct {} at {:03} {}: {}", object.name, field.offset, field.name,
                                type_text(schema, field.type)));
  }
}

void add_table(const Schema& schema, const ObjectType& object, std::vector<std::string>& lines) {
  std::string required;
  for (const Field& field : object.fields) {
    const bool is_required = field.presence == Field::Presence::required;
    const bool is_optional = field.presence == Field::Presence::optional;
    lines.push_back(fmt::format("table {} id {:03} {}: {}{}{}", object.name, field.id, field.name,
                                type_text(schema, field.type),
                                is_optional ? " = null" : default_text(field),
                                is_required ? " required" : ""));
    if (is_required) required += (required.empty() ? "" : ", ") + field.name;
    if (field.life == Field::Life::deprecated) {
      lines.push_back(
          fmt::format("table {} id {:03} {}: deprecated", object.name, field.id, field.name));
    }
  }
  // A line for the whole table: a new field that is required breaks old events, too.
  lines.push_back(
      fmt::format("table {}: requires {}", object.name, required.empty() ? "nothing" : required));
}

void add_enum(const Schema& schema, const EnumType& type, std::vector<std::string>& lines) {
  const bool is_union = type.form == EnumType::Form::tagged_union;
  const std::string_view word = is_union ? "union" : "enum";
  lines.push_back(fmt::format("{} {}: {}", word, type.name, scalar_text(type.underlying)));
  for (const EnumMember& member : type.members) {
    const auto* const table = schema.member_table(type, member.number);
    lines.push_back(fmt::format("{} {} = {:03} {}{}{}", word, type.name, member.number, member.name,
                                table == nullptr ? "" : ": ",
                                table == nullptr ? std::string_view() : table->name));
  }
}

void check_union(const EnumType& type, const Schema& schema, std::vector<std::string>& found) {
  std::int64_t expected = 0;
  for (const EnumMember& member : type.members) {
    if (member.number != expected++) {
      found.push_back(fmt::format("{}: tags are not contiguous before {}", type.name, member.name));
      return;
    }
    const ObjectType* const table = schema.member_table(type, member.number);
    if (member.number == 0) continue;
    if (table == nullptr) {
      found.push_back(fmt::format("{}: {} is not a table", type.name, member.name));
    } else if (table->comment.empty()) {
      found.push_back(
          fmt::format("{}: an event needs a /// comment that says what happened", table->name));
    }
  }
}

}  // namespace

std::string type_text(const Schema& schema, const Type& type) {
  if (type.base == Base::vector) {
    return fmt::format("[{}]", element_text(schema, type.element, type.index));
  }
  if (type.base == Base::array) {
    return fmt::format("[{}:{}]", element_text(schema, type.element, type.index), type.length);
  }
  return element_text(schema, type.base, type.index);
}

std::vector<std::string> lock_lines(const Schema& schema) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("file_identifier {}", schema.file_identifier()));
  lines.push_back(fmt::format("root_type {}", schema.root().name));
  for (const ObjectType& object : schema.objects()) {
    if (object.form == ObjectType::Form::structure) {
      add_struct(schema, object, lines);
    } else {
      add_table(schema, object, lines);
    }
  }
  for (const EnumType& type : schema.enums()) add_enum(schema, type, lines);
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> parse_lock(std::string_view text) {
  std::vector<std::string> facts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!line.empty() && line.front() != '#') facts.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::ranges::sort(facts);
  return facts;
}

std::string lock_text(std::span<const std::string> facts) {
  std::string text(lock_heading);
  for (const std::string& fact : facts) text += fact + "\n";
  return text;
}

LockDifference compare(std::span<const std::string> locked, std::span<const std::string> present) {
  LockDifference difference;
  std::ranges::set_difference(locked, present, std::back_inserter(difference.missing));
  std::ranges::set_difference(present, locked, std::back_inserter(difference.added));
  return difference;
}

std::vector<std::string> rule_violations(const Schema& schema) {
  std::vector<std::string> found;
  for (const EnumType& type : schema.enums()) {
    if (type.form == EnumType::Form::tagged_union) {
      check_union(type, schema, found);
    } else if (const EnumMember* zero = type.find(0); zero == nullptr || zero->name != "unknown") {
      found.push_back(fmt::format("{}: an enum begins with unknown = 0", type.name));
    }
  }
  for (const ObjectType& object : schema.objects()) {
    for (const Field& field : object.fields) {
      if (field.presence != Field::Presence::optional) continue;
      found.push_back(fmt::format("{}.{}: no optional scalars; use an enum or a table", object.name,
                                  field.name));
    }
  }
  return found;
}

}  // namespace pievt::reflect
