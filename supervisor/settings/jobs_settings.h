// pi-jobs' own settings, `.pi/jobs-settings.json`: read for people who come from there.
//
// pi-jobs takes whatever it can use of that file and ignores the rest, so this does, too; a file
// that pi-jobs worked with must not stop anything here.
#pragma once

#include <string>
#include <vector>

#include "supervisor/plan/json_tree.h"
#include "supervisor/settings/settings.h"

namespace pievt::settings {

struct JobsSettings {
  Guidance guidance;
  std::vector<std::string> extensions;  ///< trimmed, none blank, each once; not resolved
};

/// What pi-jobs makes of a value of any kind.
JobsSettings normalise_jobs_settings(plan::JsonView root);

/// Lays them below: what `settings` has no word on is taken from there. What begins with a dot is
/// a path from `directory`, where pi was called.
void apply_jobs_settings(const JobsSettings& from, const std::string& directory,
                         Settings& settings);

}  // namespace pievt::settings
