#include "supervisor/process/slots.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "supervisor/process/open_files.h"

namespace pievt::process {

Result<Slots> Slots::open(const std::filesystem::path& directory, std::uint32_t count) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return os_error(fmt::format("cannot make {}", directory.string()), errno);
  return Slots(directory, std::max(1u, count));
}

Result<std::optional<Slot>> Slots::take() {
  for (std::uint32_t i = 1; i <= count_; ++i) {
    const std::string path = (directory_ / std::to_string(i)).string();
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return os_error(fmt::format("cannot open {}", path), errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0)
      return std::optional<Slot>(Slot(kept_high(std::move(file))));
    if (errno != EWOULDBLOCK && errno != EINTR)
      return os_error(fmt::format("cannot lock {}", path), errno);
  }
  return std::optional<Slot>();
}

}  // namespace pievt::process
