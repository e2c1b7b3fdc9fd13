// See keys.h.
#include "supervisor/plan/keys.h"

#include <array>

#include <fmt/format.h>

#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

struct WhereName {
  Where where;
  std::string_view name;   ///< for messages
  std::string_view title;  ///< in docs/plan.md
};

constexpr std::array where_names = {
    WhereName{Where::plan, "the plan", "The plan"},
    WhereName{Where::job, "a job", "A job, a matrix row, `defaults`"},
    WhereName{Where::row, "a matrix row", ""},
    WhereName{Where::defaults, "\"defaults\"", ""},
    WhereName{Where::matrix, "\"matrix\"", "`matrix` as an object"},
    WhereName{Where::env_value, "a value of \"env\"", "A value of `env` as an object"},
    WhereName{Where::depends_on, "\"dependsOn\"", "An entry of `dependsOn` as an object"},
    WhereName{Where::retry, "\"retry\"", "`retry`"},
    WhereName{Where::backoff, "\"backoffMs\"", "`retry.backoffMs`"},
    WhereName{Where::budget, "\"budget\"", "`budget`"},
    WhereName{Where::silence, "\"silence\"", "`silence`"},
    WhereName{Where::acceptance, "\"acceptance\"",
              "`acceptance`, `acceptanceDefaults`, `acceptanceTemplate`"},
    WhereName{Where::path_check, "\"requiredPaths\"", "An entry of `requiredPaths` as an object"},
    WhereName{Where::command, "\"command\"", "An entry of `command`"},
    WhereName{Where::throttle, "\"throttle\"", "`throttle`"},
    WhereName{Where::synthesis, "\"synthesis\"", "`synthesis`"},
};

bool allows(const KeyName& key, Where where) {
  return (key.where & static_cast<std::uint16_t>(where)) != 0;
}

/// The object that a key of this very name belongs to, among the first `places` of the list, or
/// nothing.
std::string_view home_of(std::string_view name, std::size_t places) {
  for (const KeyName& key : all_keys()) {
    if (key.name != name) continue;
    for (std::size_t i = 0; i < places; ++i)
      if (allows(key, where_names[i].where)) return where_names[i].name;
  }
  return {};
}

/// What to say after "unknown key": a key that is right two levels up is more likely misplaced than
/// misspelt; one that exists only in some small object is more likely misspelt.
std::string hint_for(std::string_view name, Where where) {
  constexpr std::size_t main_places = 4;
  if (const std::string_view home = home_of(name, main_places); !home.empty())
    return fmt::format("; it is a key of {}", home);
  std::vector<std::string_view> names;
  for (const KeyName& key : all_keys())
    if (allows(key, where)) names.push_back(key.name);
  if (const std::string_view near = nearest(name, names); !near.empty())
    return fmt::format("; did you mean \"{}\"?", near);
  if (const std::string_view home = home_of(name, where_names.size()); !home.empty())
    return fmt::format("; it is a key of {}", home);
  return {};
}

/// `name` and `id` are not keys of defaults: said in the table's first column.
std::string name_cell(const KeyName& key) {
  const bool of_jobs = allows(key, Where::job);
  return fmt::format("`{}`{}", key.name,
                     of_jobs && !allows(key, Where::defaults) ? " (not in `defaults`)" : "");
}

}  // namespace

std::string_view name_of(Where where) {
  for (const WhereName& place : where_names)
    if (place.where == where) return place.name;
  return "?";
}

void Field::must_be(std::string_view rule) const {
  problems.add(value.place(), fmt::format("\"{}\" in {} must be {}, not {}", key(), label, rule,
                                          name_of(value.kind())));
}

void Field::wrong(std::string_view sentence) const {
  problems.add(value.place(), fmt::format("\"{}\" in {} {}", key(), label, sentence));
}

void Field::both(std::string_view other) const {
  problems.add(value.key_place(),
               fmt::format("\"{}\" and \"{}\" are both in {}; keep one", other, key(), label));
}

bool Field::is(JsonKind kind, std::string_view rule) const {
  if (value.kind() == kind) return true;
  must_be(rule);
  return false;
}

std::optional<Text> Field::text() const {
  if (!is(JsonKind::string, "text")) return std::nullopt;
  return text_of(value);
}

std::optional<Text> Field::text_not_blank() const {
  if (!is(JsonKind::string, "text")) return std::nullopt;
  if (is_blank(value.string())) {
    wrong("must not be blank");
    return std::nullopt;
  }
  return text_of(value);
}

std::optional<std::vector<Text>> Field::texts(std::string_view rule) const {
  if (!is(JsonKind::array, rule)) return std::nullopt;
  std::vector<Text> entries;
  for (const JsonView entry : value) {
    if (entry.kind() == JsonKind::string) {
      entries.push_back(text_of(entry));
    } else {
      problems.add(entry.place(), fmt::format("\"{}\" in {} must be {}; this entry is {}", key(),
                                              label, rule, name_of(entry.kind())));
    }
  }
  return entries;
}

std::optional<std::int64_t> Field::whole_number(std::int64_t min, std::int64_t max) const {
  const std::string rule = fmt::format("a whole number from {} to {}", min, max);
  if (!is(JsonKind::number, rule)) return std::nullopt;
  const auto number = value.whole_number();
  if (number && *number >= min && *number <= max) return number;
  wrong(fmt::format("must be {}", rule));
  return std::nullopt;
}

std::optional<double> Field::number(double min, double max) const {
  const std::string rule = fmt::format("a number from {} to {}", min, max);
  if (!is(JsonKind::number, rule)) return std::nullopt;
  if (value.number() >= min && value.number() <= max) return value.number();
  wrong(fmt::format("must be {}", rule));
  return std::nullopt;
}

std::optional<bool> Field::boolean() const {
  if (!is(JsonKind::boolean, "true or false")) return std::nullopt;
  return value.boolean();
}

Text text_of(JsonView value) {
  return {std::string(value.string()), value.place(), Text::Spelling::json};
}

void unknown_key(Problems& problems, JsonView member, const std::string& label, Where where) {
  if (!problems.wants_more()) return problems.add(member.key_place(), "unknown key");
  problems.add(member.key_place(), fmt::format("unknown key {} in {}{}", shown(member.key()), label,
                                               hint_for(member.key(), where)));
}

void later_key(Problems& problems, JsonView member, const std::string& label) {
  problems.add(member.key_place(),
               fmt::format("\"{}\" in {} is not supported yet: what it does comes with a later "
                           "version; remove it for now",
                           member.key(), label));
}

std::vector<KeyName> all_keys() {
  std::vector<KeyName> all;
  const auto add = [&](const auto& keys) { all.insert(all.end(), keys.begin(), keys.end()); };
  add(plan_keys());
  add(written_keys());
  add(matrix_keys());
  add(env_keys());
  add(depends_on_keys());
  add(retry_keys());
  add(backoff_keys());
  add(budget_keys());
  add(silence_keys());
  add(acceptance_keys());
  add(path_check_keys());
  add(command_keys());
  add(throttle_keys());
  add(synthesis_keys());
  return all;
}

std::string keys_as_markdown() {
  std::string out;
  for (const WhereName& place : where_names) {
    if (place.title.empty()) continue;
    if (!out.empty()) out += '\n';
    out += fmt::format("### {}\n\n| key | holds | meaning |\n|---|---|---|\n", place.title);
    for (const KeyName& key : all_keys()) {
      if (!allows(key, place.where)) continue;
      out += fmt::format(
          "| {} | {} | {} |\n", name_cell(key), key.holds,
          key.support == Support::now ? key.meaning : std::string_view("Not supported yet"));
    }
  }
  return out;
}

}  // namespace pievt::plan
