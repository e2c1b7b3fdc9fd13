#include "tools/measure/place.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tools/measure/events.h"

namespace pievt::measure {
namespace {

Error io_error(std::string_view doing, const std::filesystem::path& path) {
  const int number = errno;
  return {number == ENOSPC ? Errc::no_space : Errc::io,
          fmt::format("{} {}: {}", doing, path.string(), std::strerror(number))};
}

sigset_t held_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  return set;
}

// The value behind "name : value" or "name: value" in a file of such lines.
std::string value_in(const char* file, std::string_view name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return {};
}

// The mount with the longest path that the directory is below.
std::string file_system_of(const std::filesystem::path& directory) {
  std::error_code failed;
  const std::string real = std::filesystem::canonical(directory, failed).string() + "/";
  std::ifstream mounts("/proc/self/mounts");
  std::string best, text;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, place, type;
    words >> device >> place >> type;
    const std::string below = place == "/" ? place : place + "/";
    if (!real.starts_with(below) || below.size() < best.size()) continue;
    best = below;
    text = fmt::format("{} on {}", type, device);
  }
  return text;
}

// Names and sizes of what is in a directory.
std::map<std::string, std::uint64_t> listing(const std::filesystem::path& directory) {
  std::map<std::string, std::uint64_t> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    std::error_code gone;
    files[entry.path().filename()] = entry.file_size(gone);
  }
  return files;
}

// RocksDB makes and removes files in the background; a copy is one moment's only where nothing has
// changed from its beginning to its end.
Status copy_unchanged(const std::filesystem::path& store, const std::filesystem::path& image) {
  std::error_code failed;
  for (int tries = 0; tries < 20; ++tries) {
    const auto before = listing(store / "log");
    std::filesystem::remove_all(image, failed);
    std::filesystem::remove(store / "SOCKET", failed);  // it is no file; its owner makes it again
    std::filesystem::copy(store, image, std::filesystem::copy_options::recursive, failed);
    if (!failed && listing(store / "log") == before) return {};
  }
  return Error{Errc::busy,
               fmt::format("copying {}: its files do not come to rest", store.string())};
}

}  // namespace

Status image_of_killed_writer(const std::filesystem::path& store,
                              const std::filesystem::path& image, std::size_t appends) {
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write}));
  for (std::uint64_t i = 0; i < appends; ++i)
    PIEVT_TRY(log.append(one_append(1, i), {.id = {}, .durability = Durability::wal}));
  PIEVT_TRY(copy_unchanged(store, image));
  return log.close();
}

Result<ScratchDirectory> ScratchDirectory::make(const std::filesystem::path& parent) {
  std::string name = (parent / "pievt-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return io_error("making a directory like", name);
  return ScratchDirectory(name);
}

ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

ScratchDirectory::~ScratchDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

HeldSignals::HeldSignals() {
  const sigset_t set = held_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

HeldSignals::~HeldSignals() {
  const sigset_t set = held_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool HeldSignals::waiting() {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1;
}

Result<PlainFile> PlainFile::create(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return io_error("making", path);
  return PlainFile(fd);
}

PlainFile::PlainFile(PlainFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

PlainFile::~PlainFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status PlainFile::append(std::string_view bytes, Durability durability) const {
  if (::write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    return io_error("writing to", "the plain file beside the store");
  if (durability == Durability::fsync && ::fdatasync(fd_) != 0)
    return io_error("syncing", "the plain file beside the store");
  return {};
}

Machine this_machine(const std::filesystem::path& directory) {
  Machine machine;
  machine.processor = value_in("/proc/cpuinfo", "model name");
  machine.processors = std::thread::hardware_concurrency();
  machine.memory_bytes =
      std::strtoull(value_in("/proc/meminfo", "MemTotal").c_str(), nullptr, 10) * 1024;
  utsname kernel{};
  if (::uname(&kernel) == 0)
    machine.kernel = fmt::format("{} {} {}", kernel.sysname, kernel.release, kernel.machine);
  machine.file_system = file_system_of(directory);
  std::ifstream("/proc/loadavg") >> machine.load;
  return machine;
}

}  // namespace pievt::measure
