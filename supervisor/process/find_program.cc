// See find_program.h.
#include "supervisor/process/find_program.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::process {
namespace {

enum class Candidate : std::uint8_t { program, not_executable, directory, absent };

Candidate look_at(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return Candidate::absent;
  if (S_ISDIR(info.st_mode)) return Candidate::directory;
  if (!S_ISREG(info.st_mode)) return Candidate::not_executable;
  const bool executable = ::faccessat(AT_FDCWD, file.c_str(), X_OK, AT_EACCESS) == 0;
  return executable ? Candidate::program : Candidate::not_executable;
}

Error cannot_execute(const std::string& file, Candidate candidate) {
  if (candidate == Candidate::directory)
    return {Errc::invalid, fmt::format("{} is a directory; name a program in it", file)};
  return {Errc::invalid,
          fmt::format("{} is not executable; allow it with: chmod +x {}", file, file)};
}

Result<std::string> check_path(std::string_view name, const std::filesystem::path& cwd) {
  const std::string file = (cwd / name).string();
  const Candidate candidate = look_at(file);
  if (candidate == Candidate::program) return file;
  if (candidate != Candidate::absent) return cannot_execute(file, candidate);
  return Error{Errc::not_found,
               fmt::format("there is no program {}; install it or correct the path", file)};
}

}  // namespace

Result<std::string> find_program(std::string_view name, std::string_view path,
                                 const std::filesystem::path& cwd) {
  if (name.empty()) return Error{Errc::invalid, "the program's name is empty"};
  if (name.find('/') != std::string_view::npos) return check_path(name, cwd);

  std::string other_file;
  Candidate other = Candidate::absent;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
    if (!directory.starts_with('/')) continue;
    const std::string file = fmt::format("{}/{}", directory, name);
    const Candidate candidate = look_at(file);
    if (candidate == Candidate::program) return file;
    if (candidate == Candidate::not_executable && other == Candidate::absent) {
      other = candidate;
      other_file = file;
    }
  }
  if (other != Candidate::absent) return cannot_execute(other_file, other);
  return Error{Errc::not_found,
               fmt::format("there is no program {} in the PATH the child would have ({}); install "
                           "it, or name it by its full path",
                           name, path.empty() ? "which is empty" : path)};
}

}  // namespace pievt::process
