// Which pievt this is and what it was made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pievt::tools {

/// "0.1.0"
std::string_view program_version();

/// The newest store format this program writes and reads.
std::uint32_t store_format();

/// "Debug with address,undefined"
std::string build_type();

/// "g++ 12.2.0"
std::string compiler();

struct LibraryVersion {
  std::string name;
  std::string version;
};

/// The libraries the program was compiled with, by name.
std::vector<LibraryVersion> library_versions();

}  // namespace pievt::tools
