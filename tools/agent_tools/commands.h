// What people type inside pi: /jobs-ui, /jobs-settings, /jobs-start and /jobs-clean, as pi-jobs
// calls them. Each is a command of pievt with other words, or a text; pi's extension only shows
// what comes of it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "supervisor/settings/settings.h"

namespace pievt::tools {

/// The words of the command that answers. not_found: there is no such command; invalid: its
/// arguments make no sense.
Result<std::vector<std::string>> command_words(std::string_view name,
                                               std::span<const std::string> arguments);

/// Advice for whoever splits work into jobs, for the editor. `request`: what the work is; may be
/// empty.
std::string start_text(const settings::Settings& settings, std::string_view request);

}  // namespace pievt::tools
