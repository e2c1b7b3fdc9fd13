// See secret_policy.h.
#include "supervisor/turn/secret_policy.h"

#include <functional>
#include <set>
#include <variant>

#include <fmt/format.h>

#include "supervisor/capture/secret_watch.h"

namespace pievt::supervisor {
namespace {

// Every text of a plan that is stored: the file as it is written, then what its jobs are told.
// `see` gets the text, the job's number (0: the plan), the place and where.
using See = std::function<Status(std::string_view text, std::uint32_t job,
                                 schema::SecretPlace place, const std::string& where)>;

Status each_text(const plan::PlanFile& file, const See& see) {
  for (std::size_t i = 0; i < file.plan.jobs.size(); ++i) {
    const plan::JobSpec& job = file.plan.jobs[i];
    const auto number = static_cast<std::uint32_t>(i + 1);
    for (const auto& piece : job.prompt)
      if (const auto* text = std::get_if<std::string>(&piece))
        PIEVT_TRY(see(*text, number, schema::SecretPlace::prompt, "prompt"));
    for (const plan::ContextFile& context : job.context)
      PIEVT_TRY(see(*context.text, number, schema::SecretPlace::file, context.path));
  }
  return see(file.text, 0, schema::SecretPlace::file, "plan");
}

}  // namespace

secrets::Policy secret_policy(const Options& options) {
  std::vector<secrets::KnownSecret> known;
  const auto add = [&](const std::vector<process::Variable>& variables) {
    for (const auto& [name, value] : variables)
      if (secrets::is_secret_variable(name, value)) known.push_back({name, value});
  };
  add(options.environment);
  for (const auto& [job, variables] : options.job_environment) add(variables);
  return {secrets::Finder(std::move(known)), options.settings.report_secrets,
          options.settings.mask_secrets};
}

Status check_plan_secrets(const plan::PlanFile& file, const secrets::Policy& policy) {
  if (!policy.mask) return {};
  return each_text(
      file,
      [&](std::string_view text, std::uint32_t job, schema::SecretPlace,
          const std::string& where) -> Status {
        const std::vector<secrets::Found> found = policy.finder.find(text);
        if (found.empty()) return {};
        return Error{
            Errc::invalid,
            fmt::format(
                "{} at byte {} of {}{} looks like a secret ({}), and the settings say "
                "that none is stored. Hand it to the worker by \"env\": {{\"NAME\": "
                "{{\"fromEnv\": \"NAME\"}}}} instead",
                found.size() == 1 ? "what stands" : "what first stands", found[0].offset, where,
                job == 0 ? std::string() : fmt::format(" of job {}", file.plan.jobs[job - 1].id),
                found[0].rule)};
      });
}

Status tell_plan_secrets(RunRecord& record, const plan::PlanFile& file,
                         const secrets::Policy& policy) {
  if (!policy.report) return {};
  std::set<std::size_t> known;  // the plan's own text repeats what its jobs say
  std::size_t told = 0;
  return each_text(
      file,
      [&](std::string_view text, std::uint32_t job, schema::SecretPlace place,
          const std::string& where) -> Status {
        for (const secrets::Found& found : policy.finder.find(text)) {
          const std::size_t hash =
              std::hash<std::string_view>{}(text.substr(found.offset, found.size)) + job;
          const bool repeated = job == 0 && known.contains(hash);
          if (job != 0) known.insert(hash - job);
          if (repeated || (job != 0 && !known.insert(hash).second)) continue;
          if (++told > SecretWatch::told_max) return {};
          PIEVT_TRY(
              record.propose({secret_event(record, text, found, place, where), {.job = job}}));
        }
        return {};
      });
}

}  // namespace pievt::supervisor
