// See agent_json.h. The only file of this folder that knows RapidJSON.
//
// JavaScript keeps the last of several members with one name, RapidJSON finds the first. So members
// are looked up from the back, and all of a name are removed before one is set.
#include "supervisor/launch/agent_json.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

namespace pievt::launch {
namespace {

using rapidjson::Document;
using rapidjson::Value;

/// A settings or models file of a person; thousands of models fit.
constexpr std::size_t text_bytes_max = 1u << 20;

/// RapidJSON writes values by recursion; no file of pi's nests deeper than six.
constexpr std::size_t depth_max = 64;

/// pi 1.x gives a silent connection this long.
constexpr int provider_timeout_ms = 300'000;

/// "__proto__" is no setting: JavaScript would make it the parent of the object it stands in.
constexpr std::array<std::string_view, 11> never_taken{
    "packages",   "extensions",        "skills",         "prompts",    "themes",
    "npmCommand", "selfUpdateCommand", "externalEditor", "sessionDir", "defaultProjectTrust",
    "__proto__"};

/// The depth of nesting, found without building anything.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '{' || c == '[')) {
      deepest = std::max(deepest, ++depth);
    } else if (!in_string && (c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

/// Why `text` is not an object we take; nullopt when `into` holds it.
std::optional<std::string> parse_object(std::string_view text, Document& into) {
  if (text.size() > text_bytes_max)
    return fmt::format("it is longer than {} bytes", text_bytes_max);
  if (depth_of(text) > depth_max) return fmt::format("it nests deeper than {}", depth_max);
  constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  into.Parse<flags>(text.data(), text.size());
  if (into.HasParseError())
    return fmt::format("at byte {}: {}", into.GetErrorOffset(),
                       rapidjson::GetParseError_En(into.GetParseError()));
  if (!into.IsObject()) return "it is not a JSON object";
  return std::nullopt;
}

std::string_view text_of(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

/// The member JavaScript would see; nullptr when there is none.
const Value* last_member(const Value& object, std::string_view name) {
  const Value* found = nullptr;
  for (const auto& member : object.GetObject())
    if (text_of(member.name) == name) found = &member.value;
  return found;
}

/// Removes all members of the name; tells whether there was one.
bool remove_members(Value& object, std::string_view name) {
  bool removed = false;
  for (auto member = object.MemberBegin(); member != object.MemberEnd();) {
    if (text_of(member->name) == name) {
      member = object.EraseMember(member);
      removed = true;
    } else {
      ++member;
    }
  }
  return removed;
}

/// The one member `name` of `object`, as an object: the user's last, or an empty one.
Value& make_object(Value& object, const char* name, Document::AllocatorType& memory) {
  Value kept(rapidjson::kObjectType);
  const Value* users = last_member(object, name);
  if (users != nullptr && users->IsObject()) kept.CopyFrom(*users, memory);
  remove_members(object, name);
  object.AddMember(Value(name, memory), kept, memory);
  return object[name];
}

void set(Value& object, const char* name, Value value, Document::AllocatorType& memory) {
  remove_members(object, name);
  object.AddMember(Value(name, memory), value, memory);
}

void add_cautions(Document& settings, PiMode mode) {
  auto& memory = settings.GetAllocator();
  if (mode == PiMode::json)
    set(make_object(settings, "compaction", memory), "enabled", Value(false), memory);
  Value& provider = make_object(make_object(settings, "retry", memory), "provider", memory);
  set(provider, "maxRetries", Value(0), memory);
  const Value* timeout = last_member(provider, "timeoutMs");
  if (timeout == nullptr || !timeout->IsNumber())
    set(provider, "timeoutMs", Value(provider_timeout_ms), memory);
}

std::string write(const Document& document) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  document.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

bool is_capital(char c) {
  return (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return is_capital(c) || (c >= 'a' && c <= 'z');
}

std::size_t name_length(std::string_view text) {
  if (text.empty() || !is_name_start(text.front())) return 0;
  std::size_t length = 1;
  while (length < text.size() && (is_name_start(text[length]) || is_digit(text[length]))) ++length;
  return length;
}

bool is_capital_name(std::string_view text) {
  return !text.empty() && is_capital(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_capital(c) || is_digit(c); });
}

/// Adds the variables a configured value refers to, in the spelling of either version.
void add_variables(std::string_view value, std::set<std::string>& names) {
  if (value.starts_with('!')) return;
  if (is_capital_name(value)) names.emplace(value);
  for (std::size_t i = value.find('$'); i < value.size(); i = value.find('$', i)) {
    std::string_view rest = value.substr(i + 1);
    if (rest.starts_with('$') || rest.starts_with('!')) {
      i += 2;
      continue;
    }
    const bool braced = rest.starts_with('{');
    if (braced) rest.remove_prefix(1);
    const std::size_t length = name_length(rest);
    const bool closed = !braced || (length < rest.size() && rest[length] == '}');
    if (length > 0 && closed) names.emplace(rest.substr(0, length));
    ++i;
  }
}

void add_variables_of(const Value& part, std::set<std::string>& names) {
  if (!part.IsObject()) return;
  for (const auto& member : part.GetObject()) {
    const std::string_view name = text_of(member.name);
    if (name == "apiKey" && member.value.IsString()) add_variables(text_of(member.value), names);
    if (name != "headers" || !member.value.IsObject()) continue;
    for (const auto& header : member.value.GetObject())
      if (header.value.IsString()) add_variables(text_of(header.value), names);
  }
}

std::set<std::string> variables_of(const Value& provider) {
  std::set<std::string> names;
  add_variables_of(provider, names);
  if (!provider.IsObject()) return names;
  for (const auto& member : provider.GetObject()) {
    const std::string_view name = text_of(member.name);
    if (name == "models" && member.value.IsArray())
      for (const Value& model : member.value.GetArray()) add_variables_of(model, names);
    if (name == "modelOverrides" && member.value.IsObject())
      for (const auto& model : member.value.GetObject()) add_variables_of(model.value, names);
  }
  return names;
}

}  // namespace

GeneratedSettings generate_settings(std::optional<std::string_view> user, const PiVersion& version,
                                    PiMode mode) {
  GeneratedSettings out;
  Document settings;
  settings.SetObject();
  if (user) {
    if (const auto problem = parse_object(*user, settings)) {
      out.warnings.push_back(
          fmt::format("the user's settings.json cannot be read ({}); pi's defaults are used, as pi "
                      "itself would: correct the file",
                      *problem));
      settings.SetObject();
    }
  }
  for (const std::string_view name : never_taken)
    if (remove_members(settings, name)) out.dropped.emplace_back(name);
  auto& memory = settings.GetAllocator();
  set(settings, "enableInstallTelemetry", Value(false), memory);
  set(settings, "enableAnalytics", Value(false), memory);
  if (version < first_settled) add_cautions(settings, mode);
  out.text = write(settings);
  return out;
}

std::optional<std::string> default_provider(std::string_view settings) {
  Document document;
  if (parse_object(settings, document)) return std::nullopt;
  const Value* found = last_member(document, "defaultProvider");
  if (found == nullptr || !found->IsString() || found->GetStringLength() == 0) return std::nullopt;
  return std::string(text_of(*found));
}

std::vector<CustomProvider> custom_providers(std::string_view models) {
  Document document;
  if (parse_object(models, document)) return {};
  const Value* providers = last_member(document, "providers");
  if (providers == nullptr || !providers->IsObject()) return {};
  std::map<std::string, std::set<std::string>> found;
  for (const auto& member : providers->GetObject())
    found[std::string(text_of(member.name))].merge(variables_of(member.value));
  std::vector<CustomProvider> out;
  for (const auto& [name, variables] : found)
    out.push_back({name, {variables.begin(), variables.end()}});
  return out;
}

}  // namespace pievt::launch
