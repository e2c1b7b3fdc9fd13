// Settings as JSON: those in force, for the record of a run and for people who ask, and the shape
// of config.json for editors.
#pragma once

#include <string>

#include "supervisor/settings/settings.h"

namespace pievt::settings {

/// One line, as a config.json that would mean the same; absent where nothing was decided. Settings
/// hold names of variables and never their values, and of hooks only the program is told: an
/// argument may be a token of some chat.
std::string settings_json(const Settings& settings);

/// The JSON schema of config.json, from the tables of its keys; docs/schemas/config.schema.json.
std::string settings_schema();

/// The reference of all keys as Markdown tables; docs/settings.md holds it.
std::string settings_markdown();

}  // namespace pievt::settings
