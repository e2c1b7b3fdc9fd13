// The settings that hold for what is about to be done in a store.
#pragma once

#include <filesystem>

#include "pievt/result.h"
#include "supervisor/settings/read_settings.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// Reads them for the working directory and says what was odd about their files. invalid: a
/// config.json with mistakes, every one of them with its place.
Result<settings::Settings> settings_in_force(const Context& context,
                                             const std::filesystem::path& store);

}  // namespace pievt::tools
