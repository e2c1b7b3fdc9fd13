// Where the extension for pi lies that came with this program, and whether pi knows a path to it
// that leads nowhere.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pievt::tools {

/// This program's own file.
std::filesystem::path own_program();

/// pievt.ts of this program: below share/pievt/pi-extension of its installation, or beside it in a
/// build tree. Empty where it is in neither.
std::filesystem::path extension_file(const std::filesystem::path& program);

/// Paths in a settings.json of pi that look like this extension and are not there. Relative ones
/// begin at `directory`, where the file is.
std::vector<std::string> dangling_extensions(const std::string& settings,
                                             const std::filesystem::path& directory);

}  // namespace pievt::tools
