// Expands the acceptance contract of a job: lists are those of "defaults", of the template of rows
// and its own, one after the other; of single values the job's own wins.
#include <fmt/format.h>

#include "supervisor/plan/expand_one.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

std::size_t bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return bytes;
}

std::size_t bytes_of(const JobSpec& spec) {
  std::size_t bytes = 0;
  for (const RequiredPath& path : spec.required_paths)
    bytes += path.path.size() + bytes_of(path.required_regex) + bytes_of(path.forbidden_regex);
  for (const auto& list : spec.contract.lists) bytes += bytes_of(list);
  for (const CommandCheck& command : spec.contract.commands)
    bytes += command.shell.size() + command.cwd.size() + bytes_of(command.argv);
  return bytes;
}

}  // namespace

void JobExpander::add_env(One& one, const std::map<std::string, WrittenEnvValue>& written,
                          std::map<std::string, std::variant<std::string, FromEnv>>& env) {
  for (const auto& [name, value] : written) {
    const Place& place = value.text.place;
    count(entry_bytes + name.size(), place);
    if (is_full_) return;
    if (value.from == WrittenEnvValue::From::environment) {
      env[name] = FromEnv{value.text.value};
      continue;
    }
    auto text = one.expander.expand_text(value.text, fmt::format("\"{}\" in \"env\"", name));
    if (!text) continue;
    if (name.size() + 1 + text->size() > limits::env_bytes_max)
      problems_.add(place, fmt::format("\"{}\" in \"env\" of {} is too long: name and value have "
                                       "at most {} bytes",
                                       name, one.label, limits::env_bytes_max));
    count(text->size(), place);
    env[name] = std::move(*text);
  }
}

void JobExpander::add_texts(One& one, const std::vector<Text>& written, std::string_view key,
                            std::vector<std::string>& texts) {
  for (const Text& entry : written) {
    auto expanded = one.expander.expand_entry(entry, fmt::format("\"{}\"", key));
    if (!expanded) continue;
    for (std::string& text : *expanded) {
      count(entry_bytes + text.size(), entry.place);
      if (is_full_) return;
      if (text.empty())
        problems_.add(entry.place, fmt::format("a text in \"{}\" of {} is empty", key, one.label));
      texts.push_back(std::move(text));
    }
  }
}

void JobExpander::add_required_path(One& one, const WrittenPath& written) {
  const Place& place = written.path.place;
  auto expanded = written.form == WrittenPath::Form::string
                      ? one.expander.expand_entry(written.path, "\"requiredPaths\"")
                      : one.expander.expand_one(written.path, "\"requiredPaths\"");
  if (!expanded) return;
  for (std::string& path : *expanded) {
    count(entry_bytes + path.size(), place);
    if (is_full_) return;
    if (is_blank(path))
      problems_.add(place, fmt::format("a path in \"requiredPaths\" of {} is blank", one.label));
    RequiredPath check;
    check.path = std::move(path);
    check.type = written.type;
    check.min_bytes = written.min_bytes;
    add_texts(one, written.required_regex, "requiredRegex", check.required_regex);
    add_texts(one, written.forbidden_regex, "forbiddenRegex", check.forbidden_regex);
    one.job.spec.required_paths.push_back(std::move(check));
  }
}

void JobExpander::add_acceptance(One& one, const WrittenAcceptance& written) {
  Contract& contract = one.job.spec.contract;
  if (written.place) contract.asked = Contract::Asked::yes;
  for (const WrittenPath& path : written.required_paths) add_required_path(one, path);
  for (std::size_t i = 0; i < contract_lists; ++i)
    add_texts(one, written.lists[i], name_of(static_cast<ContractList>(i)), contract.lists[i]);
  contract.min_worker_log_bytes =
      written.min_worker_log_bytes.value_or(contract.min_worker_log_bytes);
  contract.min_report_summary_chars =
      written.min_report_summary_chars.value_or(contract.min_report_summary_chars);
  contract.require_deliverables_evidence =
      written.require_deliverables_evidence.value_or(contract.require_deliverables_evidence);
  contract.audit_only = written.audit_only.value_or(contract.audit_only);
  for (const WrittenCommand& command : written.commands) add_command(one, command);
}

void JobExpander::fill_acceptance(One& one) {
  add_acceptance(one, one.defaults.acceptance);
  if (one.origin == Origin::row) add_acceptance(one, document_.acceptance_template);
  add_acceptance(one, one.written.acceptance);
  const JobSpec& spec = one.job.spec;
  if (bytes_of(spec) > limits::contract_bytes_max)
    problems_.add(one.written.place,
                  fmt::format("the acceptance contract of {} has more than {} bytes", one.label,
                              limits::contract_bytes_max));
}

}  // namespace pievt::plan
