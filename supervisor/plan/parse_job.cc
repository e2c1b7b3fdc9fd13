// Reads a job, a matrix row or "defaults": the keys they share.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "supervisor/plan/duration.h"
#include "supervisor/plan/parse.h"
#include "supervisor/plan/parse_parts.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

bool is_env_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    if (!letter && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

void read_prompt(const Field& field, Written& into) {
  if (into.prompt_file) return field.both("promptFile");
  into.prompt = field.text_not_blank();
}

void read_prompt_file(const Field& field, Written& into) {
  if (into.prompt) return field.both("prompt");
  into.prompt_file = field.text_not_blank();
}

void read_context(const Field& field, Written& into) {
  into.context = field.texts("a list of paths");
  if (!into.context) return;
  for (const Text& path : *into.context)
    if (is_blank(path.value)) field.problems.add(path.place, "a path in \"context\" is blank");
}

void read_vars(const Field& field, Written& into) {
  if (!field.is(JsonKind::object, "an object")) return;
  for (const JsonView member : field.value) {
    Var var;
    bool fits = true;
    if (member.kind() == JsonKind::string) {
      var.values.emplace_back(member.string());
    } else if (member.kind() == JsonKind::array) {
      var.shape = Var::Shape::list;
      for (const JsonView entry : member) {
        fits = fits && entry.kind() == JsonKind::string;
        if (fits) var.values.emplace_back(entry.string());
      }
    } else {
      fits = false;
    }
    if (!fits)
      field.problems.add(member.place(),
                         fmt::format("the variable {} in {} must be text or a list of text; put "
                                     "numbers in quotes",
                                     shown(member.key()), field.label));
    into.vars.insert_or_assign(std::string(member.key()), std::move(var));
  }
}

void read_env_value(const Field& env, JsonView member,
                    std::map<std::string, WrittenEnvValue>& into) {
  WrittenEnvValue value;
  if (member.kind() == JsonKind::string) {
    value.text = text_of(member);
  } else if (member.kind() == JsonKind::object) {
    value.from = WrittenEnvValue::From::environment;
    const std::string label = fmt::format("\"env\".{} of {}", shown(member.key()), env.label);
    read_object(env.problems, member, env_keys(), Where::env_value, label, value);
    if (!member.find("fromEnv"))
      env.problems.add(member.place(), fmt::format("{} needs \"fromEnv\"", label));
  } else {
    env.problems.add(member.place(),
                     fmt::format("the value of {} in \"env\" of {} must be text or {{\"fromEnv\": "
                                 "\"NAME\"}}, not {}",
                                 shown(member.key()), env.label, name_of(member.kind())));
  }
  if (value.text.was_read()) into.insert_or_assign(std::string(member.key()), std::move(value));
}

void read_from_env(const Field& field, WrittenEnvValue& value) {
  auto name = field.text();
  if (!name) return;
  if (!is_env_name(name->value)) return field.wrong("must be the name of an environment variable");
  value.text = std::move(*name);
}

void read_tools(const Field& field, Written& into) {
  into.tools = field.texts("a list of names of tools");
  if (!into.tools) return;
  if (into.tools->size() > limits::tools_max)
    field.wrong(fmt::format("has more than {} entries", limits::tools_max));
  for (const Text& tool : *into.tools)
    // pi takes the list as one argument with commas.
    if (tool.value.empty() || tool.value.find_first_of(", \t\r\n") != std::string::npos)
      field.problems.add(tool.place,
                         fmt::format("{} in \"tools\" of {} cannot be the name of a tool",
                                     shown(tool.value), field.label));
}

void read_priority(const Field& field, Written& into) {
  if (const auto number = field.whole_number(INT32_MIN, INT32_MAX))
    into.priority = static_cast<std::int32_t>(*number);
}

constexpr std::uint16_t everywhere =
    (Where::job | Where::row) | static_cast<std::uint16_t>(Where::defaults);
constexpr std::uint16_t named = Where::job | Where::row;

template <std::optional<Text> Written::*member>
void read_text(const Field& field, Written& into) {
  into.*member = field.text_not_blank();
}

constexpr std::array<Key<Written>, 23> written_table = {{
    {{"id", named, Support::now, "text",
      "The job's name in commands; needed in a row, `t001` and so on in `jobs`"},
     read_text<&Written::id>},
    {{"name", named, Support::now, "text", "What people see"}, read_text<&Written::name>},
    {{"prompt", everywhere, Support::now, "template", "What the agent is told"}, read_prompt},
    {{"promptFile", everywhere, Support::now, "template",
      "A file with the prompt, which is a template too; at most 1 MiB"},
     read_prompt_file},
    {{"context", everywhere, Support::now, "list of templates",
      "Files whose text goes before the prompt: each at most 256 KiB, together 1 MiB"},
     read_context},
    {{"vars", everywhere, Support::now, "object of text or lists of text",
      "Values for placeholders; added to those of `defaults`"},
     read_vars},
    {{"cwd", everywhere, Support::now, "text", "The directory it works in"},
     [](const Field& field, Written& into) { into.cwd = field.text(); }},
    {{"env", everywhere, Support::now, "object of templates or `{\"fromEnv\": \"NAME\"}`",
      "Environment variables; added to those of `defaults`"},
     [](const Field& field, Written& into) { read_env(field, into.env); }},
    {{"model", everywhere, Support::now, "template", "For pi's `--model`"},
     read_text<&Written::model>},
    {{"thinking", everywhere, Support::now, "template",
      "`off`, `minimal`, `low`, `medium`, `high` or `xhigh`"},
     read_text<&Written::thinking>},
    {{"tools", everywhere, Support::now, "list of text",
      "The only tools pi may use; an empty list means none"},
     read_tools},
    {{"timeout", everywhere, Support::now, "duration",
      "When an attempt is ended: `90s`, `20m`, `1h30m`; 10 minutes if left out"},
     read_timeout},
    {{"timeoutMs", everywhere, Support::now, "number", "The same in milliseconds"},
     read_timeout_ms},
    {{"retry", everywhere, Support::now, "object",
      "Whether and when to try again; combined with that of `defaults` key by key"},
     read_retry},
    {{"budget", everywhere, Support::now, "object",
      "What the job may spend, in `defaults`: each job; then it is stopped. Combined with that of "
      "`defaults` key by key"},
     [](const Field& field, Written& into) { read_budget(field, into.budget); }},
    {{"silence", everywhere, Support::now, "object",
      "After how long without a word an attempt is stopped, by what it was doing; where nothing is "
      "said, silence is noted and nothing more. Combined with that of `defaults` key by key"},
     read_silence},
    {{"wave", everywhere, Support::now, "whole number",
      "Jobs of a later wave wait until all of an earlier one have ended, however they did; jobs "
      "without one wait for none"},
     [](const Field& field, Written& into) {
       if (const auto n = field.whole_number(1, limits::waves_max))
         into.wave = static_cast<std::uint32_t>(*n);
     }},
    {{"priority", everywhere, Support::now, "whole number",
      "Of jobs that could start, the one with the largest does; 0 if left out"},
     read_priority},
    {{"isolation", everywhere, Support::now, "`shared` or `worktree`",
      "Where it works: in its directory, or in a git worktree of its own; `shared` if left out"},
     read_isolation},
    {{"carry", everywhere, Support::now, "list of text or objects",
      "Paths that are not in the commit and are copied into the worktree; `{\"path\": …, \"how\": "
      "\"link\"}` makes a symbolic link instead"},
     read_carry},
    {{"acceptance", everywhere, Support::now, "object",
      "What must be true for the job to have succeeded; added to that of `defaults`"},
     [](const Field& field, Written& into) { read_acceptance(field, into.acceptance); }},
    {{"dependsOn", everywhere, Support::now, "list of templates or objects",
      "Jobs that come first, by id or pattern (`lint-*`)"},
     read_depends_on},
    {{"metadata", everywhere, Support::now, "object of templates",
      "Kept with the job, for people and scripts; added to that of `defaults`"},
     [](const Field& field, Written& into) { read_metadata(field, into.metadata); }},
}};

constexpr std::array<Key<WrittenEnvValue>, 1> env_table = {{
    {{"fromEnv", static_cast<std::uint16_t>(Where::env_value), Support::now, "text",
      "The variable of the supervisor's environment whose value is used; needed"},
     read_from_env},
}};

/// A job that cannot be named by its id is named by its place in the list.
Written parse_one(JsonView object, Where where, std::size_t position, Problems& problems) {
  Written written;
  written.place = object.place();
  written.label = fmt::format("{} {}", where == Where::row ? "matrix row" : "job", position + 1);
  const std::size_t problems_before = problems.count();
  if (object.kind() != JsonKind::object) {
    written.damaged = true;
    problems.add(object.place(), fmt::format("{} must be an object, not {}", name_of(where),
                                             name_of(object.kind())));
    return written;
  }
  if (const auto id = object.find("id"); id && id->kind() == JsonKind::string)
    written.label =
        fmt::format("{} {}", where == Where::row ? "matrix row" : "job", shown(id->string()));
  read_object(problems, object, written_keys(), where, written.label, written);
  if (where == Where::row && !object.find("id"))
    problems.add(object.place(), fmt::format("{} needs \"id\"", written.label));
  written.damaged = problems.count() > problems_before;
  return written;
}

}  // namespace

std::span<const Key<Written>> written_keys() {
  return written_table;
}
std::span<const Key<WrittenEnvValue>> env_keys() {
  return env_table;
}

void read_env(const Field& field, std::map<std::string, WrittenEnvValue>& into) {
  if (!field.is(JsonKind::object, "an object")) return;
  for (const JsonView member : field.value) {
    if (!is_env_name(member.key())) {
      field.problems.add(
          member.key_place(),
          fmt::format("{} in \"env\" of {} cannot be the name of a variable: letters, "
                      "digits and \"_\" only, no digit first",
                      shown(member.key()), field.label));
    } else if (member.key().starts_with("PIEVT_")) {
      field.problems.add(
          member.key_place(),
          fmt::format("{} in \"env\" of {}: names that begin with \"PIEVT_\" are kept "
                      "for the supervisor",
                      shown(member.key()), field.label));
    } else {
      read_env_value(field, member, into);
    }
  }
}

void read_timeout(const Field& field, Written& into) {
  if (into.timeout_ms) return field.both("timeoutMs");
  if (field.value.kind() == JsonKind::number)
    return field.wrong(
        "must be a duration like \"20m\"; a number of milliseconds is \"timeoutMs\"");
  if (!field.is(JsonKind::string, "a duration like \"20m\"")) return;
  const auto ms = parse_duration_ms(field.value.string());
  if (!ms.ok()) return field.wrong(fmt::format("must be a duration: {}", ms.error().what));
  if (*ms == 0 || *ms > limits::timeout_ms_max)
    return field.wrong("must be more than nothing and at most 30 days (\"30d\")");
  into.timeout_ms = *ms;
  into.timeout_place = field.value.key_place();
}

void read_timeout_ms(const Field& field, Written& into) {
  if (into.timeout_ms) return field.both("timeout");
  const auto ms = field.number(1, static_cast<double>(limits::timeout_ms_max));
  if (!ms) return;
  into.timeout_ms = static_cast<std::uint64_t>(std::floor(*ms));
  into.timeout_place = field.value.key_place();
}

void read_metadata(const Field& field, std::map<std::string, Text>& into) {
  if (!field.is(JsonKind::object, "an object of text")) return;
  for (const JsonView member : field.value) {
    if (member.kind() == JsonKind::string) {
      into.insert_or_assign(std::string(member.key()), text_of(member));
    } else {
      field.problems.add(
          member.place(),
          fmt::format("the value of {} in \"{}\" of {} must be text, not {}", shown(member.key()),
                      field.key(), field.label, name_of(member.kind())));
    }
  }
}

std::vector<Written> parse_list(const Field& field, Where where) {
  std::vector<Written> list;
  for (const JsonView entry : field.value)
    list.push_back(parse_one(entry, where, list.size(), field.problems));
  return list;
}

Written parse_job(JsonView job, Problems& problems) {
  return parse_one(job, Where::job, 0, problems);
}

Written parse_row(JsonView row, std::size_t position, Problems& problems) {
  return parse_one(row, Where::row, position, problems);
}

}  // namespace pievt::plan
