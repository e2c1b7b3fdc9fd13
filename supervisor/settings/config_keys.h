// The keys of config.json are rows of tables, like those of a plan: reading, the nearest name of a
// misspelt one, the JSON schema and the reference in docs/settings.md come from the same rows.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/plan/keys.h"
#include "supervisor/settings/settings.h"

namespace pievt::settings {

/// Reads the object of a config.json; notes what is wrong. `directory`: where extensions that
/// begin with a dot are.
void read_config(plan::Problems& problems, plan::JsonView root, const std::string& directory,
                 Settings& settings);

/// An object of config.json and its keys, in the order of the reference.
struct ConfigObject {
  std::string_view name;  ///< its key in the object around it; empty: the whole file
  std::string_view parent;
  std::vector<plan::KeyName> keys;
};
std::vector<ConfigObject> config_objects();

}  // namespace pievt::settings
