// See key_schema.h.
#include "supervisor/plan/key_schema.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "supervisor/plan/canonical.h"

namespace pievt::plan {
namespace {

struct Shape {
  std::string_view holds, schema;
};

constexpr std::string_view texts = R"("type": "array", "items": {"type": "string"})";

constexpr std::array shapes = {
    Shape{"text", R"("type": "string")"},
    Shape{"path", R"("type": "string")"},
    Shape{"pattern", R"("type": "string")"},
    Shape{"list of text", texts},
    Shape{"list of patterns", texts},
    Shape{"list of path patterns", texts},
    Shape{"whole number", R"("type": "integer", "minimum": 0)"},
    Shape{"number", R"("type": "number")"},
    Shape{"true or false", R"("type": "boolean")"},
    Shape{
        "duration",
        R"("type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$")"},
    Shape{"`fresh` or `resume`", R"("enum": ["fresh", "resume"])"},
    Shape{"`clean` or `previous`", R"("enum": ["clean", "previous"])"},
    Shape{"`stop` or `continue`", R"("enum": ["stop", "continue"])"},
    Shape{"`file`, `dir` or `glob`", R"("enum": ["file", "dir", "glob"])"},
};

struct Inner {
  std::string_view key;
  Where where;
};
constexpr std::array inner_objects = {Inner{"backoffMs", Where::backoff}};

std::string value_of(const KeyName& key) {
  if (const std::string_view known = schema_of(key.holds); !known.empty())
    return std::string(known);
  const auto* const inner = std::ranges::find(inner_objects, key.name, &Inner::key);
  if (inner != inner_objects.end()) {
    const std::string whole = object_schema(inner->where);
    return whole.substr(1, whole.size() - 2);
  }
  if (key.name == "requiredPaths")
    return fmt::format(R"("type": "array", "items": {{"anyOf": [{{"type": "string"}}, {}]}})",
                       object_schema(Where::path_check));
  return {};
}

}  // namespace

std::string_view schema_of(std::string_view holds) {
  const auto* const shape = std::ranges::find(shapes, holds, &Shape::holds);
  return shape == shapes.end() ? std::string_view() : shape->schema;
}

std::string object_schema(Where where) {
  std::string properties;
  for (const KeyName& key : all_keys()) {
    if ((key.where & static_cast<std::uint16_t>(where)) == 0 || key.support != Support::now)
      continue;
    const std::string value = value_of(key);
    properties +=
        fmt::format("{}{}: {{\"description\": {}{}{}}}", properties.empty() ? "" : ", ",
                    json_text(key.name), json_text(key.meaning), value.empty() ? "" : ", ", value);
  }
  return fmt::format(R"({{"type": "object", "additionalProperties": false, "properties": {{{}}}}})",
                     properties);
}

}  // namespace pievt::plan
