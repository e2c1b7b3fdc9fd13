// The file SALVAGED: what was found when a damaged store was salvaged or its log was made anew, for
// people. One of its lines counts texts, so that verify can tell those that went with damage from
// those that were redacted or never stored.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace pievt {

inline constexpr const char* salvaged_file = "SALVAGED";

/// The line that says so.
std::string lost_texts_line(std::uint64_t texts);

/// How many texts the store's SALVAGED says were lost to damage; 0 where there is no such file.
std::uint64_t texts_lost_to_damage(const std::filesystem::path& store);

}  // namespace pievt
