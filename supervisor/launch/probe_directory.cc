// See probe_directory.h.
#include "supervisor/launch/probe_directory.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "supervisor/launch/directory.h"
#include "supervisor/launch/remove_tree.h"

namespace pievt::launch {

Result<ProbeDirectory> ProbeDirectory::create() {
  std::error_code failed;
  const std::filesystem::path base = std::filesystem::temp_directory_path(failed);
  std::string path = ((failed ? "/tmp" : base) / "pievt-probe-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr)
    return os_error(fmt::format("cannot make a directory {} to try pi in", path), errno);
  return ProbeDirectory(std::move(path));
}

ProbeDirectory::~ProbeDirectory() {
  if (path_.empty()) return;
  const auto parent = open_directory(path_.parent_path());
  if (parent.ok())
    static_cast<void>(remove_tree(parent->get(), path_.filename().string(), path_).ok());
}

}  // namespace pievt::launch
