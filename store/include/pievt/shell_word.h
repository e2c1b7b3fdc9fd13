// Commands as they are offered in sentences: what somebody pastes into a shell has to be about the
// store the sentence is about, whatever its name and wherever the shell is.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace pievt {

/// How a path is typed in a shell: as it is, or in quotes where it has more than plain characters.
std::string shell_word(const std::filesystem::path& path);

/// `pievt <verb> --store <store>`; without the store where `store` is empty, which is one without
/// a place.
std::string store_command(std::string_view verb, const std::filesystem::path& store);

/// `pievt salvage <store> DEST`.
std::string salvage_command(const std::filesystem::path& store);

}  // namespace pievt
