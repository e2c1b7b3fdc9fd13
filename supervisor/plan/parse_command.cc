// Reads the commands of an acceptance contract.
#include <array>

#include <fmt/format.h>

#include "supervisor/plan/duration.h"
#include "supervisor/plan/parse_parts.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

constexpr auto command_where = static_cast<std::uint16_t>(Where::command);

void read_run(const Field& field, WrittenCommand& command) {
  if (field.value.kind() == JsonKind::string) {
    command.shell = field.text_not_blank();
  } else if (auto words = field.texts("text for a shell, or a list of words")) {
    if (words->empty() || words->front().value.empty()) return field.wrong("must name a program");
    command.argv = std::move(*words);
  }
}

void read_time(const Field& field, WrittenCommand& command) {
  if (!field.is(JsonKind::string, "a duration like \"5m\"")) return;
  const auto ms = parse_duration_ms(field.value.string());
  if (!ms.ok()) return field.wrong(fmt::format("must be a duration: {}", ms.error().what));
  if (*ms == 0 || *ms > limits::timeout_ms_max)
    return field.wrong("must be more than nothing and at most 30 days (\"30d\")");
  command.timeout_ms = *ms;
}

constexpr std::array<Key<WrittenCommand>, 5> command_table = {{
    {{"run", command_where, Support::now, "template, or list of templates",
      "What is run: a text for `/bin/sh -c`, or a program and its arguments; needed"},
     read_run},
    {{"cwd", command_where, Support::now, "template",
      "Where, relative to the job's directory; that directory if left out"},
     [](const Field& field, WrittenCommand& command) { command.cwd = field.text(); }},
    {{"timeout", command_where, Support::now, "duration",
      "When it is stopped; 10 minutes if left out"},
     read_time},
    {{"env", command_where, Support::now, "object of templates or `{\"fromEnv\": \"NAME\"}`",
      "Environment variables, added to the job's; keys of model providers are not passed"},
     [](const Field& field, WrittenCommand& command) { read_env(field, command.env); }},
    {{"expectExit", command_where, Support::now, "whole number",
      "The exit code that means it is met; 0 if left out"},
     [](const Field& field, WrittenCommand& command) {
       if (const auto code = field.whole_number(0, 255))
         command.expect_exit = static_cast<std::uint32_t>(*code);
     }},
}};

void read_one(const Field& field, JsonView entry, WrittenAcceptance& into) {
  const std::string label = fmt::format("\"command\" of {}", field.label);
  if (entry.kind() != JsonKind::object)
    return field.problems.add(entry.place(), fmt::format("{} must be an object or a list of "
                                                         "objects with \"run\"",
                                                         label));
  WrittenCommand command;
  command.place = entry.place();
  read_object(field.problems, entry, command_keys(), Where::command, label, command);
  if (!entry.find("run"))
    return field.problems.add(entry.place(), fmt::format("{} needs \"run\"", label));
  if (into.commands.size() == limits::commands_max)
    return field.problems.add(
        entry.place(), fmt::format("{} has more than {} entries", label, limits::commands_max));
  into.commands.push_back(std::move(command));
}

}  // namespace

std::span<const Key<WrittenCommand>> command_keys() {
  return command_table;
}

void read_commands(const Field& field, WrittenAcceptance& into) {
  if (field.value.kind() != JsonKind::array) return read_one(field, field.value, into);
  for (const JsonView entry : field.value) read_one(field, entry, into);
}

}  // namespace pievt::plan
