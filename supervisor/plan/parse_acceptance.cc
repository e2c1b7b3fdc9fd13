// Reads acceptance contracts. The keys of pi-jobs mean here what they mean there, so that its plans
// run as they are; a channel that pi-jobs does not look at has keys of its own.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "supervisor/plan/parse_parts.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

constexpr auto acceptance_where = static_cast<std::uint16_t>(Where::acceptance);
constexpr auto path_where = static_cast<std::uint16_t>(Where::path_check);

void read_path_check(const Field& list, JsonView entry, WrittenAcceptance& into) {
  WrittenPath check;
  check.form = WrittenPath::Form::object;
  const std::string label = fmt::format("\"requiredPaths\" of {}", list.label);
  read_object(list.problems, entry, path_check_keys(), Where::path_check, label, check);
  if (!entry.find("path"))
    list.problems.add(entry.place(), fmt::format("an entry of {} needs \"path\"", label));
  if (check.path.was_read()) into.required_paths.push_back(std::move(check));
}

void read_required_paths(const Field& field, WrittenAcceptance& into) {
  constexpr std::string_view rule = "a list of paths or {\"path\": …} objects";
  if (!field.is(JsonKind::array, rule)) return;
  for (const JsonView entry : field.value) {
    if (entry.kind() == JsonKind::object) {
      read_path_check(field, entry, into);
    } else if (entry.kind() != JsonKind::string) {
      field.problems.add(entry.place(),
                         fmt::format("\"requiredPaths\" in {} must be {}", field.label, rule));
    } else if (is_blank(entry.string())) {
      field.problems.add(entry.place(),
                         fmt::format("a path in \"requiredPaths\" of {} is blank", field.label));
    } else {
      WrittenPath check;
      check.path = text_of(entry);
      into.required_paths.push_back(std::move(check));
    }
  }
}

void read_path_type(const Field& field, WrittenPath& check) {
  const auto type = field.text();
  if (!type) return;
  if (type->value == "file") {
    check.type = PathType::file;
  } else if (type->value == "dir") {
    check.type = PathType::directory;
  } else if (type->value == "glob") {
    check.type = PathType::glob;
  } else {
    field.wrong(fmt::format("must be \"file\", \"dir\" or \"glob\", not {}", shown(type->value)));
  }
}

template <ContractList list>
void read_list(const Field& field, WrittenAcceptance& into) {
  if (auto entries = field.texts("a list of text"))
    into.lists[static_cast<std::size_t>(list)] = std::move(*entries);
}

template <std::optional<std::uint64_t> WrittenAcceptance::*member>
void read_count(const Field& field, WrittenAcceptance& into) {
  if (const auto n = field.whole_number(0, INT64_MAX))
    into.*member = static_cast<std::uint64_t>(*n);
}

template <std::optional<bool> WrittenAcceptance::*member>
void read_yes(const Field& field, WrittenAcceptance& into) {
  into.*member = field.boolean();
}

constexpr std::array<Key<WrittenAcceptance>, 17> acceptance_table = {{
    {{"requiredPaths", acceptance_where, Support::now, "list of text or objects",
      "Files that must be there when the job has ended, relative to its directory"},
     read_required_paths},
    {{"forbiddenPaths", acceptance_where, Support::now, "list of text",
      "Paths where nothing may be"},
     read_list<ContractList::forbidden_paths>},
    {{"requiredFinalRegex", acceptance_where, Support::now, "list of patterns",
      "Each must be found in the final message"},
     read_list<ContractList::required_final>},
    {{"forbiddenFinalRegex", acceptance_where, Support::now, "list of patterns",
      "None may be found in the final message"},
     read_list<ContractList::forbidden_final>},
    {{"requiredOutputRegex", acceptance_where, Support::now, "list of patterns",
      "Each must be found in the worker log, as in pi-jobs: not in the final message"},
     read_list<ContractList::required_worker_log>},
    {{"forbiddenOutputRegex", acceptance_where, Support::now, "list of patterns",
      "None may be found in the worker log"},
     read_list<ContractList::forbidden_worker_log>},
    {{"requiredReportRegex", acceptance_where, Support::now, "list of patterns",
      "Each must be found in the report: its summary, deliverables and evidence"},
     read_list<ContractList::required_report>},
    {{"forbiddenReportRegex", acceptance_where, Support::now, "list of patterns",
      "None may be found in the report"},
     read_list<ContractList::forbidden_report>},
    {{"requiredRawOutputRegex", acceptance_where, Support::now, "list of patterns",
      "Each must be found in what pi wrote to its standard output, which is JSON lines"},
     read_list<ContractList::required_raw_output>},
    {{"forbiddenRawOutputRegex", acceptance_where, Support::now, "list of patterns",
      "None may be found there"},
     read_list<ContractList::forbidden_raw_output>},
    {{"minWorkerLogBytes", acceptance_where, Support::now, "whole number",
      "The least size of the worker log"},
     read_count<&WrittenAcceptance::min_worker_log_bytes>},
    {{"minReportSummaryChars", acceptance_where, Support::now, "whole number",
      "The least length of the report's summary; a shorter one is a warning only"},
     read_count<&WrittenAcceptance::min_report_summary_chars>},
    {{"allowedWritePaths", acceptance_where, Support::now, "list of path patterns",
      "The only places that may have been written to"},
     read_list<ContractList::allowed_write_paths>},
    {{"forbiddenWritePaths", acceptance_where, Support::now, "list of path patterns",
      "Places that may not have been written to"},
     read_list<ContractList::forbidden_write_paths>},
    {{"requireDeliverablesEvidence", acceptance_where, Support::now, "true or false",
      "What the report says was delivered must be there"},
     read_yes<&WrittenAcceptance::require_deliverables_evidence>},
    {{"auditOnly", acceptance_where, Support::now, "true or false",
      "What is not met is a warning and does not fail the job"},
     read_yes<&WrittenAcceptance::audit_only>},
    {{"command", acceptance_where, Support::now, "object or list of objects",
      "Commands that run when the agent has ended, in the job's directory, and must end as "
      "expected"},
     read_commands},
}};

constexpr std::array<Key<WrittenPath>, 5> path_check_table = {{
    {{"path", path_where, Support::now, "text", "The path; needed"},
     [](const Field& field, WrittenPath& check) {
       if (auto path = field.text_not_blank()) check.path = std::move(*path);
     }},
    {{"type", path_where, Support::now, "`file`, `dir` or `glob`",
      "What it must be; `file` if left out. Of a `glob`, one file that matches and meets the rest "
      "is "
      "enough"},
     read_path_type},
    {{"minBytes", path_where, Support::now, "whole number", "Its least size"},
     [](const Field& field, WrittenPath& check) {
       if (const auto n = field.whole_number(0, INT64_MAX))
         check.min_bytes = static_cast<std::uint64_t>(*n);
     }},
    {{"requiredRegex", path_where, Support::now, "list of patterns",
      "Each must be found in the file"},
     [](const Field& field, WrittenPath& check) {
       if (auto list = field.texts("a list of text")) check.required_regex = std::move(*list);
     }},
    {{"forbiddenRegex", path_where, Support::now, "list of patterns",
      "None may be found in the file"},
     [](const Field& field, WrittenPath& check) {
       if (auto list = field.texts("a list of text")) check.forbidden_regex = std::move(*list);
     }},
}};

}  // namespace

std::span<const Key<WrittenAcceptance>> acceptance_keys() {
  return acceptance_table;
}
std::span<const Key<WrittenPath>> path_check_keys() {
  return path_check_table;
}
std::string_view name_of(ContractList list) {
  constexpr std::array<std::string_view, contract_lists> names = {
      "forbiddenPaths",       "requiredFinalRegex",     "forbiddenFinalRegex",
      "requiredOutputRegex",  "forbiddenOutputRegex",   "requiredReportRegex",
      "forbiddenReportRegex", "requiredRawOutputRegex", "forbiddenRawOutputRegex",
      "allowedWritePaths",    "forbiddenWritePaths"};
  return names[static_cast<std::size_t>(list)];
}

void read_acceptance(const Field& field, WrittenAcceptance& into) {
  if (!field.is(JsonKind::object, "an object")) return;
  into.place = field.value.key_place();
  read_object(field.problems, field.value, acceptance_keys(), Where::acceptance,
              fmt::format("\"{}\" of {}", field.key(), field.label), into);
}

}  // namespace pievt::plan
