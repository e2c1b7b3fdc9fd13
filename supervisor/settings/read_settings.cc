// See read_settings.h.
#include "supervisor/settings/read_settings.h"

#include <fmt/format.h>

#include "supervisor/plan/disk_files.h"
#include "supervisor/settings/config_keys.h"
#include "supervisor/settings/jobs_settings.h"

namespace pievt::settings {

Result<Settings> parse_settings(const std::string& name, std::string text,
                                const std::string& directory) {
  plan::Problems problems;
  const plan::Source source(name, std::move(text));
  Settings settings;
  if (const auto tree = plan::JsonTree::parse(source, problems))
    read_config(problems, tree->root(), directory, settings);
  if (!problems.none()) return problems.error();
  return settings;
}

Result<SettingsFile> load_settings(const std::filesystem::path& store,
                                   const std::filesystem::path& directory) {
  SettingsFile out;
  plan::DiskFiles files("");
  const std::string config = (store / "config.json").string();
  auto text = files.read(config, config_bytes_max);
  if (text.ok()) {
    const std::string beside = std::filesystem::absolute(store).parent_path().string();
    out.settings = PIEVT_TRY(parse_settings(config, std::move(*text), beside));
    out.files.push_back(config);
  } else if (text.error().code != Errc::not_found) {
    return Error{text.error().code, fmt::format("{}: {}", config, text.error().what)};
  }

  const std::string jobs = (directory / ".pi" / "jobs-settings.json").string();
  text = files.read(jobs, config_bytes_max);
  if (!text.ok()) {
    if (text.error().code != Errc::not_found)
      out.warnings.push_back(fmt::format("{} was not read: {}", jobs, text.error().what));
    return out;
  }
  plan::Problems problems;
  const plan::Source source(jobs, std::move(*text));
  if (const auto tree = plan::JsonTree::parse(source, problems)) {
    apply_jobs_settings(normalise_jobs_settings(tree->root()), directory.string(), out.settings);
    out.files.push_back(jobs);
  } else {
    out.warnings.push_back(fmt::format("ignored: {}", problems.error().what));
  }
  return out;
}

plan::PlanDefaults plan_defaults(const Settings& settings) {
  return {settings.concurrency, settings.timeout_ms, settings.retry,
          settings.throttle,    settings.budget,     settings.silence};
}

}  // namespace pievt::settings
