#include "tools/verbs/lint_report.h"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/launch/environment.h"
#include "supervisor/launch/list_models.h"

namespace pievt::tools {

std::vector<lint::Finding> find_lint(const Context& context, const plan::PlanFile& file,
                                     const std::string& path, const std::string& pi) {
  lint::Options options{path, std::filesystem::current_path(), {}};
  const bool named =
      std::ranges::any_of(file.plan.jobs, [](const auto& job) { return job.model.has_value(); });
  if (named && !pi.empty()) {
    const auto models = launch::list_models(pi, launch::read_environment(environ));
    if (models.ok()) {
      options.unknown_model =
          [known = *models](const std::string& model) -> std::optional<std::string> {
        if (known.contains(launch::model_name(model)) || known.contains(model)) return std::nullopt;
        return fmt::format("pi lists no model {}: a wrong name, or no key for its provider", model);
      };
    } else {
      context.talk.say(fmt::format("models were not checked: {}", models.error().what));
    }
  }
  return lint::lint(file, options);
}

std::string to_line(const std::string& path, const lint::Finding& finding) {
  return fmt::format("{}:{}:{}: {}: {}{} [{}]", path, finding.line, finding.column,
                     lint::name_of(finding.severity),
                     finding.job.empty() ? "" : fmt::format("job {}: ", finding.job),
                     finding.sentence, finding.rule);
}

bool is_bad(const std::vector<lint::Finding>& findings) {
  return std::ranges::any_of(
      findings, [](const auto& finding) { return finding.severity != lint::Severity::note; });
}

}  // namespace pievt::tools
