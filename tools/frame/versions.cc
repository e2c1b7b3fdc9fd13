// Versions come from the macros of the headers that were compiled in, not from what a package
// manager says.
#include "tools/frame/versions.h"

#include <CLI/Version.hpp>
#include <flatbuffers/base.h>
#include <fmt/format.h>

#include "store/log/store_files.h"

namespace pievt::tools {

std::string_view program_version() {
  return PIEVT_VERSION;
}

std::uint32_t store_format() {
  return store_format_version;
}

std::string build_type() {
  const std::string_view sanitizers = PIEVT_SANITIZERS;
  const std::string type = *PIEVT_BUILD_TYPE == '\0' ? "unnamed" : PIEVT_BUILD_TYPE;
  return sanitizers.empty() ? type : fmt::format("{} with {}", type, sanitizers);
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::vector<LibraryVersion> library_versions() {
  const auto dotted = [](int major, int minor, int patch) {
    return fmt::format("{}.{}.{}", major, minor, patch);
  };
  return {
      {"CLI11", CLI11_VERSION},
      {"FlatBuffers",
       dotted(FLATBUFFERS_VERSION_MAJOR, FLATBUFFERS_VERSION_MINOR, FLATBUFFERS_VERSION_REVISION)},
      {"fmt", dotted(FMT_VERSION / 10'000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
  };
}

}  // namespace pievt::tools
