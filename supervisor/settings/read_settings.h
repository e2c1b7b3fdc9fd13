// The way in: the settings of a store, from its config.json and, below that, pi-jobs' own file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/plan/read_plan.h"
#include "supervisor/settings/settings.h"

namespace pievt::settings {

/// A config.json is written by hand; a MiB of it is a mistake.
constexpr std::size_t config_bytes_max = std::size_t{1} << 20;

struct SettingsFile {
  Settings settings;
  std::vector<std::string> files;     ///< those that were read, the stronger first
  std::vector<std::string> warnings;  ///< one sentence each
};

/// Checks the text of a config.json (JSON with comments). Errc::invalid with every problem as
/// `name:line:column: sentence`. `directory`: where relative paths begin.
Result<Settings> parse_settings(const std::string& name, std::string text,
                                const std::string& directory);

/// `<store>/config.json` over `<directory>/.pi/jobs-settings.json`; either may be missing, and an
/// unreadable second one is a warning. Relative paths of the first begin where the store is.
Result<SettingsFile> load_settings(const std::filesystem::path& store,
                                   const std::filesystem::path& directory);

/// What a plan takes where it says nothing itself.
plan::PlanDefaults plan_defaults(const Settings& settings);

}  // namespace pievt::settings
