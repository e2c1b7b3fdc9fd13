// See config_keys.h.
#include "supervisor/settings/config_keys.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "supervisor/plan/duration.h"
#include "supervisor/plan/text.h"

namespace pievt::settings {
namespace {

using plan::Field;
using plan::JsonKind;
using plan::JsonView;
using plan::Support;

template <class Target>
using Key = plan::Key<Target>;

constexpr std::uint16_t here = 0;  // rows of these tables stand in one object each

constexpr std::uint64_t hook_ms_max = std::uint64_t{3600} * 1000;
constexpr std::uint32_t concurrency_max = 10'000;

template <class Target>
void read_table(const Field& field, std::span<const Key<Target>> keys, Target& target);

// ---- Values ------------------------------------------------------------------------------------

std::optional<std::uint32_t> count(const Field& field, std::int64_t min, std::int64_t max) {
  const auto number = field.whole_number(min, max);
  if (!number) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

std::optional<std::uint64_t> duration(const Field& field, std::uint64_t min, std::uint64_t max) {
  if (!field.is(JsonKind::string, "a duration such as \"90s\" or \"20m\"")) return std::nullopt;
  const auto ms = plan::parse_duration_ms(field.value.string());
  if (!ms.ok()) {
    field.wrong(ms.error().what);
  } else if (*ms < min || *ms > max) {
    field.wrong(fmt::format("must be {} to {} milliseconds", min, max));
  } else {
    return *ms;
  }
  return std::nullopt;
}

void set_flag(const Field& field, bool& flag) {
  if (const auto yes = field.boolean()) flag = *yes;
}

// Absolute, for `npm:` and `~` untouched, and each once.
std::vector<std::string> extensions(const Field& field, const std::string& directory) {
  std::vector<std::string> all;
  const auto entries = field.texts("a list of extensions");
  if (!entries) return all;
  for (const plan::Text& entry : *entries) {
    std::string path(plan::trimmed(entry.value));
    if (path.empty()) {
      field.problems.add(entry.place, "an extension must not be blank");
      continue;
    }
    if (path.starts_with('.')) {
      path = (std::filesystem::path(directory) / path).lexically_normal().string();
    }
    if (std::ranges::find(all, path) == all.end()) all.push_back(std::move(path));
  }
  return all;
}

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, fits);
}

std::vector<std::string> variables(const Field& field) {
  std::vector<std::string> all;
  const auto entries = field.texts("a list of names of variables");
  if (!entries) return all;
  for (const plan::Text& entry : *entries) {
    if (is_variable_name(entry.value)) {
      all.push_back(entry.value);
    } else {
      field.problems.add(entry.place, fmt::format("{} cannot be the name of a variable",
                                                  plan::shown(entry.value)));
    }
  }
  return all;
}

// ---- Tables ------------------------------------------------------------------------------------

constexpr std::array<Key<Hook>, 2> hook_table = {{
    {{"run", here, Support::now, "list of text",
      "The program and its arguments; it gets JSON on standard input. No shell reads them"},
     [](const Field& field, Hook& hook) {
       const auto words = field.texts("a list: the program and its arguments");
       if (!words) return;
       for (const plan::Text& word : *words) hook.run.push_back(word.value);
     }},
    {{"timeout", here, Support::now, "duration", "It is stopped after this; `30s` if left out"},
     [](const Field& field, Hook& hook) {
       if (const auto ms = duration(field, 100, hook_ms_max)) hook.timeout_ms = *ms;
     }},
}};

void read_hook(const Field& field, std::optional<Hook>& into) {
  Hook hook;
  const std::size_t before = field.problems.count();
  if (field.value.kind() == JsonKind::array) {
    hook_table[0].read(field, hook);
  } else if (field.value.kind() == JsonKind::object) {
    read_table<Hook>(field, hook_table, hook);
  } else {
    field.must_be("a list of words, or an object with \"run\"");
  }
  if (field.problems.count() != before) return;
  if (hook.run.empty() || hook.run[0].empty()) return field.wrong("must name a program in \"run\"");
  into = std::move(hook);
}

constexpr std::array<Key<Settings>, 2> hooks_table = {{
    {{"onFinish", here, Support::now, "hook", "Told when a run has ended"},
     [](const Field& field, Settings& all) { read_hook(field, all.on_finish); }},
    {{"onAttention", here, Support::now, "hook", "Told when a run needs people"},
     [](const Field& field, Settings& all) { read_hook(field, all.on_attention); }},
}};

constexpr std::array<Key<Settings>, 2> store_table = {{
    {{"concurrency", here, Support::now, "whole number",
      "Attempts at once in the whole store, whatever the number of runs"},
     [](const Field& field, Settings& all) {
       all.store_concurrency = count(field, 1, concurrency_max);
     }},
    {{"childMemoryMiB", here, Support::now, "whole number",
      "What one attempt is expected to take; without so much free memory, only a run that has none "
      "running starts one. 256 if left out"},
     [](const Field& field, Settings& all) {
       if (const auto mib = field.whole_number(1, std::int64_t{1} << 30))
         all.child_memory_bytes = static_cast<std::uint64_t>(*mib) << 20;
     }},
}};

constexpr std::array<Key<Settings>, 3> workers_table = {{
    {{"extensions", here, Support::now, "list of text",
      "Extensions that workers load besides pievt's own; what begins with `.` is a path beside the "
      "store. Workers load no others"},
     nullptr},
    {{"onCallerGone", here, Support::now, "`stop` or `continue`",
      "What becomes of a run when the program that called for it is gone; `stop` if left out"},
     [](const Field& field, Settings& all) {
       const auto word = field.text();
       if (!word) return;
       if (word->value == "stop") {
         all.on_caller_gone = CallerGone::stop;
       } else if (word->value == "continue") {
         all.on_caller_gone = CallerGone::go_on;
       } else {
         field.wrong(
             fmt::format("must be \"stop\" or \"continue\", not {}", plan::shown(word->value)));
       }
     }},
    {{"secondAttempt", here, Support::now, "text",
      "Goes before the prompt of every attempt but the first"},
     [](const Field& field, Settings& all) {
       if (auto text = field.text_not_blank()) all.second_attempt = std::move(text->value);
     }},
}};

constexpr std::array<Key<Settings>, 2> environment_table = {{
    {{"allow", here, Support::now, "list of text",
      "Variables that workers get besides the usual ones"},
     [](const Field& field, Settings& all) { all.environment_allow = variables(field); }},
    {{"deny", here, Support::now, "list of text",
      "Variables that workers do not get, even where they usually would"},
     [](const Field& field, Settings& all) { all.environment_deny = variables(field); }},
}};

constexpr std::array<Key<Settings>, 2> secrets_table = {{
    {{"report", here, Support::now, "true or false",
      "Look for secrets in what is recorded and say where they are; true if left out"},
     [](const Field& field, Settings& all) { set_flag(field, all.report_secrets); }},
    {{"mask", here, Support::now, "true or false",
      "Store prompts, arguments and messages without the secrets that were found; false if left "
      "out"},
     [](const Field& field, Settings& all) { set_flag(field, all.mask_secrets); }},
}};

template <class Read>
void read_inner(const Field& field, Read read) {
  if (field.is(JsonKind::object, "an object")) read();
}

template <std::size_t rows>
void read_part(const Field& field, const std::array<Key<Settings>, rows>& table, Settings& all) {
  read_inner(field, [&] { read_table<Settings>(field, table, all); });
}

constexpr std::array<Key<Settings>, 11> root_table = {{
    {{"$schema", here, Support::now, "text", "For editors; not read"}, [](auto&, auto&) {}},
    {{"concurrency", here, Support::now, "whole number",
      "Attempts at once in a run whose plan names no number"},
     [](const Field& field, Settings& all) { all.concurrency = count(field, 1, concurrency_max); }},
    {{"timeout", here, Support::now, "duration", "Of a job that names none; `10m` if left out"},
     [](const Field& field, Settings& all) {
       all.timeout_ms = duration(field, 1000, plan::limits::timeout_ms_max);
     }},
    {{"retry", here, Support::now, "object", "Of jobs that say nothing of it; as in a plan"},
     [](const Field& field, Settings& all) {
       read_inner(field, [&] {
         plan::read_object(field.problems, field.value, plan::retry_keys(), plan::Where::retry,
                           "\"retry\" of the settings", all.retry);
       });
     }},
    {{"throttle", here, Support::now, "object", "Of plans that say nothing of it; as in a plan"},
     [](const Field& field, Settings& all) {
       read_inner(field, [&] {
         all.throttle.emplace();
         plan::read_object(field.problems, field.value, plan::throttle_keys(),
                           plan::Where::throttle, "\"throttle\" of the settings", *all.throttle);
       });
     }},
    {{"budget", here, Support::now, "object", "Of plans that say nothing of it; as in a plan"},
     [](const Field& field, Settings& all) {
       read_inner(field, [&] {
         all.budget.emplace();
         plan::read_object(field.problems, field.value, plan::budget_keys(), plan::Where::budget,
                           "\"budget\" of the settings", *all.budget);
       });
     }},
    {{"silence", here, Support::now, "object",
      "After how much silence attempts are stopped; as in a plan"},
     [](const Field& field, Settings& all) {
       read_inner(field, [&] {
         plan::read_object(field.problems, field.value, plan::silence_keys(), plan::Where::silence,
                           "\"silence\" of the settings", all.silence);
       });
     }},
    {{"store", here, Support::now, "object", "Limits of all runs together"},
     [](const Field& field, Settings& all) { read_part(field, store_table, all); }},
    {{"hooks", here, Support::now, "object", "Commands that are told of a run"},
     [](const Field& field, Settings& all) { read_part(field, hooks_table, all); }},
    {{"environment", here, Support::now, "object", "What workers get of the environment"},
     [](const Field& field, Settings& all) { read_part(field, environment_table, all); }},
    {{"secrets", here, Support::now, "object", "What is done about secrets"},
     [](const Field& field, Settings& all) { read_part(field, secrets_table, all); }},
}};

constexpr plan::KeyName workers_key = {"workers", here, Support::now, "object",
                                       "What workers may load and do"};

template <class Target>
const Key<Target>* find_key(std::span<const Key<Target>> keys, std::string_view name) {
  for (const Key<Target>& key : keys)
    if (key.name == name) return &key;
  return nullptr;
}

void unknown(plan::Problems& problems, JsonView member, const std::string& label,
             std::vector<std::string_view> names) {
  const std::string_view near = plan::nearest(member.key(), names);
  problems.add(member.key_place(),
               fmt::format("unknown key {} in {}{}", plan::shown(member.key()), label,
                           near.empty() ? fmt::format("; known are {}", fmt::join(names, ", "))
                                        : fmt::format("; did you mean \"{}\"?", near)));
}

template <class Target>
std::vector<std::string_view> names_of(std::span<const Key<Target>> keys) {
  std::vector<std::string_view> names;
  for (const Key<Target>& key : keys) names.push_back(key.name);
  return names;
}

template <class Target>
void read_table(const Field& field, std::span<const Key<Target>> keys, Target& target) {
  const std::string label = fmt::format("\"{}\" of the settings", field.key());
  for (const JsonView member : field.value) {
    if (const Key<Target>* key = find_key(keys, member.key())) {
      key->read(Field{field.problems, member, label}, target);
    } else {
      unknown(field.problems, member, label, names_of(keys));
    }
  }
}

// Apart, because its extensions need to know the directory.
void read_workers(const Field& field, const std::string& directory, Settings& all) {
  if (!field.is(JsonKind::object, "an object")) return;
  const std::string label = "\"workers\" of the settings";
  const std::span<const Key<Settings>> keys = workers_table;
  for (const JsonView member : field.value) {
    const Field inner{field.problems, member, label};
    if (member.key() == workers_table[0].name) {
      all.worker_extensions = extensions(inner, directory);
    } else if (const Key<Settings>* key = find_key(keys, member.key())) {
      key->read(inner, all);
    } else {
      unknown(field.problems, member, label, names_of(keys));
    }
  }
}

template <class Keys>
ConfigObject object_of(std::string_view name, std::string_view parent, const Keys& keys) {
  ConfigObject object{name, parent, {}};
  for (const auto& key : keys) object.keys.push_back(key);
  return object;
}

}  // namespace

void read_config(plan::Problems& problems, JsonView root, const std::string& directory,
                 Settings& settings) {
  const std::string label = "the settings";
  const std::span<const Key<Settings>> keys = root_table;
  if (root.kind() != JsonKind::object) {
    return problems.add(root.place(), fmt::format("the settings must be an object, not {}",
                                                  plan::name_of(root.kind())));
  }
  for (const JsonView member : root) {
    const Field field{problems, member, label};
    if (member.key() == workers_key.name) {
      read_workers(field, directory, settings);
    } else if (const Key<Settings>* key = find_key(keys, member.key())) {
      key->read(field, settings);
    } else {
      auto names = names_of(keys);
      names.push_back(workers_key.name);
      unknown(problems, member, label, std::move(names));
    }
  }
}

std::vector<ConfigObject> config_objects() {
  ConfigObject root = object_of("", "", root_table);
  root.keys.push_back(workers_key);
  return {std::move(root),
          object_of("retry", "", plan::retry_keys()),
          object_of("backoffMs", "retry", plan::backoff_keys()),
          object_of("throttle", "", plan::throttle_keys()),
          object_of("budget", "", plan::budget_keys()),
          object_of("silence", "", plan::silence_keys()),
          object_of("store", "", store_table),
          object_of("hooks", "", hooks_table),
          object_of("hook", "hooks", hook_table),
          object_of("environment", "", environment_table),
          object_of("secrets", "", secrets_table),
          object_of("workers", "", workers_table)};
}

}  // namespace pievt::settings
