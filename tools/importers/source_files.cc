#include "tools/importers/source_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::tools {
namespace {

namespace fs = std::filesystem;
using schema::ImportAnomaly;

/// What is read at once. pi-jobs' own files stay far below; a session of a day has a few MiB.
constexpr std::uint64_t file_bytes_max = 256u << 20;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

FoundAnomaly about(ImportAnomaly anomaly, const std::string& name, std::string detail) {
  FoundAnomaly found;
  found.what.anomaly = anomaly;
  found.what.file = name;
  found.what.detail = std::move(detail);
  return found;
}

std::optional<SourceFile> read_file(const fs::path& path, const std::string& name,
                                    std::vector<FoundAnomaly>& anomalies) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat seen {};
  if (fd.get() < 0 || ::fstat(fd.get(), &seen) != 0) {
    anomalies.push_back(about(ImportAnomaly::unreadable, name,
                              fmt::format("cannot be opened: {}", std::strerror(errno))));
    return std::nullopt;
  }
  if (!S_ISREG(seen.st_mode)) {
    anomalies.push_back(about(ImportAnomaly::stray_file, name, "is no regular file; left alone"));
    return std::nullopt;
  }
  const auto size = static_cast<std::uint64_t>(seen.st_size);
  if (size > file_bytes_max) {
    anomalies.push_back(about(ImportAnomaly::too_large, name,
                              fmt::format("has {} bytes, more than {} are not read; it was left "
                                          "where it is",
                                          size, file_bytes_max)));
    return std::nullopt;
  }
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      anomalies.push_back(about(ImportAnomaly::unreadable, name,
                                fmt::format("cannot be read: {}", std::strerror(errno))));
      return std::nullopt;
    }
    if (got == 0) break;  // it became shorter meanwhile
    done += static_cast<std::size_t>(got);
  }
  return SourceFile{name, simdjson::padded_string(bytes.data(), done)};
}

}  // namespace

SourceFiles SourceFiles::load(const fs::path& directory, std::vector<FoundAnomaly>& anomalies) {
  SourceFiles result;
  std::vector<std::string> names;
  std::error_code failed;
  fs::recursive_directory_iterator at(directory, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    std::error_code ignored;
    if (at->symlink_status(ignored).type() == fs::file_type::directory) continue;
    names.push_back(at->path().lexically_relative(directory).string());
  }
  if (failed) {
    anomalies.push_back(about(ImportAnomaly::unreadable, "",
                              fmt::format("cannot be listed: {}", failed.message())));
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (auto file = read_file(directory / name, name, anomalies))
      result.files_.push_back(std::move(*file));
  }
  return result;
}

const SourceFile* SourceFiles::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(files_, name, {}, &SourceFile::name);
  return found == files_.end() || found->name != name ? nullptr : &*found;
}

bool SourceFiles::has_below(std::string_view directory) const {
  const auto found = std::ranges::lower_bound(files_, directory, {}, &SourceFile::name);
  return found != files_.end() && found->name.starts_with(directory);
}

std::uint64_t SourceFiles::bytes() const {
  std::uint64_t sum = 0;
  for (const SourceFile& file : files_) sum += file.bytes.size();
  return sum;
}

Digest SourceFiles::digest() const {
  Sha256 sum;
  for (const SourceFile& file : files_) {
    sum.update(fmt::format("{}\n{}\n", file.name.size(), file.bytes.size()));
    sum.update(file.name);
    sum.update(file.text());
  }
  return sum.finish();
}

std::vector<SourceLine> lines_of(std::string_view text) {
  std::vector<SourceLine> lines;
  std::uint64_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    ++number;
    const std::size_t feed = text.find('\n', begin);
    const bool ended = feed != std::string_view::npos;
    std::string_view line = text.substr(begin, ended ? feed - begin : std::string_view::npos);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos)
      lines.push_back({number, begin, line, ended});
    begin = ended ? feed + 1 : text.size();
  }
  return lines;
}

}  // namespace pievt::tools
