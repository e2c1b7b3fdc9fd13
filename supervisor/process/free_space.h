// How much room a disk has left.
#pragma once

#include <cstdint>
#include <filesystem>

#include "pievt/result.h"

namespace pievt::process {

/// Bytes that an ordinary user may still write where `directory` lies; 0 also when no more files
/// can be made; the largest number where the file system does not count.
Result<std::uint64_t> free_bytes(const std::filesystem::path& directory);

}  // namespace pievt::process
