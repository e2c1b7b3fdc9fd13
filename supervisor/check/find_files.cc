#include "supervisor/check/find_files.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "supervisor/check/path_pattern.h"

namespace pievt::acceptance {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t entries_max = 1'000'000;
constexpr std::size_t entries_between_looks_at_the_clock = 64;

}  // namespace

FoundFiles find_files(const fs::path& directory, std::string_view pattern, std::size_t count_max,
                      std::chrono::steady_clock::time_point deadline) {
  FoundFiles found;
  std::vector<fs::path> open = {directory};
  std::size_t entries = 0;
  while (!open.empty() && found.incomplete.empty()) {
    const fs::path here = std::move(open.back());
    open.pop_back();
    std::error_code error;
    fs::directory_iterator entry(here, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code ignored;
      if (entry->symlink_status(ignored).type() == fs::file_type::directory) {
        open.push_back(entry->path());
      } else if (std::string path = entry->path().lexically_relative(directory).string();
                 matches(path, pattern)) {
        found.paths.push_back(std::move(path));
      }
      ++entries;
      if (found.paths.size() >= count_max || entries >= entries_max) {
        found.incomplete = fmt::format("not all was looked at: {} files matched among {}",
                                       found.paths.size(), entries);
        break;
      }
      if (entries % entries_between_looks_at_the_clock == 0 &&
          std::chrono::steady_clock::now() >= deadline) {
        found.incomplete =
            fmt::format("not all was looked at: time was up after {} files", entries);
        break;
      }
    }
    if (error && found.incomplete.empty())
      found.incomplete =
          fmt::format("not all was looked at: {}: {}", here.string(), error.message());
  }
  std::ranges::sort(found.paths);
  return found;
}

}  // namespace pievt::acceptance
