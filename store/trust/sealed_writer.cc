#include "store/trust/sealed_writer.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/log/store_files.h"

namespace pievt::sealed {
namespace {

Error taken(const std::filesystem::path& file) {
  return {Errc::invalid, fmt::format("{} is there already; say --force to replace it, or name "
                                     "another file",
                                     file.string())};
}

std::filesystem::path directory_of(const std::filesystem::path& file) {
  return std::filesystem::absolute(file).parent_path();
}

constexpr std::string_view temporary_ending = ".part";

std::string temporary_name(const std::filesystem::path& to) {
  return to.filename().string() + fmt::format(".{}{}", ::getpid(), temporary_ending);
}

// Whether a writer of `to` could have called a file so, whichever process it was.
bool is_temporary(std::string_view name, std::string_view to) {
  if (!name.starts_with(to) || !name.ends_with(temporary_ending)) return false;
  name.remove_prefix(to.size());
  if (name.size() <= temporary_ending.size() || name.front() != '.') return false;
  const auto pid = name.substr(1, name.size() - temporary_ending.size() - 1);
  return !pid.empty() && std::ranges::all_of(pid, [](unsigned char c) { return std::isdigit(c); });
}

// Removes what writers left that were killed, or lost their power: nobody holds the lock any more.
// A pid is no way to know them: the next process may have the same, and in containers often has.
void sweep(const std::filesystem::path& to) {
  const std::string name = to.filename().string();
  std::error_code failed;
  std::filesystem::directory_iterator at(directory_of(to), failed), end;
  for (; !failed && at != end; at.increment(failed)) {
    const std::filesystem::path& found = at->path();
    if (!is_temporary(found.filename().string(), name)) continue;
    const Fd fd(::open(found.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat facts {};
    if (!fd || ::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(found.c_str());
  }
}

// A new file, locked for as long as it is open. Until it is locked, a sweep may take it for a
// leftover; then it is made again.
Result<Fd> create_locked(const std::filesystem::path& temporary) {
  for (;;) {
    Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return os_error(fmt::format("cannot create {}", temporary.string()), errno);
    // Where a file system has no locks nobody can sweep either.
    const bool locked = ::flock(fd.get(), LOCK_EX) == 0;
    struct stat facts {};
    if (!locked || ::fstat(fd.get(), &facts) != 0 || facts.st_nlink > 0) return fd;
  }
}

}  // namespace

Writer::Writer(std::filesystem::path to, std::filesystem::path temporary, int level)
    : to_(std::move(to)), temporary_(std::move(temporary)), compressor_(level) {}

Writer::Writer(Writer&& other) noexcept
    : to_(std::move(other.to_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_)),
      compressor_(std::move(other.compressor_)),
      frames_(std::move(other.frames_)),
      offset_(other.offset_),
      address_(other.address_),
      section_(other.section_),
      pending_(std::move(other.pending_)) {}

Writer::~Writer() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<Writer> Writer::create(const std::filesystem::path& to, int level) {
  Writer writer(to, {}, level);
  sweep(to);
  const std::filesystem::path temporary = to.parent_path() / temporary_name(to);
  writer.fd_ = PIEVT_TRY(create_locked(temporary));
  writer.temporary_ = temporary;
  PIEVT_TRY(writer.write(head()));
  return writer;
}

Status Writer::write(std::span<const std::byte> bytes) {
  offset_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd_.get(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0)
      return os_error(fmt::format("writing {}; nothing is left of it", to_.string()), errno);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  return {};
}

Status Writer::add_frame(Section section, std::span<const std::byte> content,
                         FrameCompressor* with) {
  FrameCompressor& compressor = with != nullptr ? *with : compressor_;
  const std::vector<std::byte> frame = PIEVT_TRY(compressor.compress(content));
  frames_.push_back({section, static_cast<std::uint32_t>(frame.size()),
                     static_cast<std::uint32_t>(content.size()), sha256(frame)});
  return write(frame);
}

Status Writer::add(Section section, std::span<const std::byte> bytes) {
  section_ = section;
  address_ += bytes.size();
  const std::size_t most = section == Section::output ? output_frame_bytes : frame_bytes;
  while (!bytes.empty()) {
    const std::size_t room = most - pending_.size();
    const auto piece = bytes.first(std::min(room, bytes.size()));
    pending_.insert(pending_.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
    if (pending_.size() < most) continue;
    PIEVT_TRY(add_frame(section, pending_));
    pending_.clear();
  }
  return {};
}

Status Writer::close_section() {
  address_ = 0;
  if (pending_.empty()) return {};
  PIEVT_TRY(add_frame(section_, pending_));
  pending_.clear();
  return {};
}

Status Writer::finish(Directory directory) {
  directory.frames = frames_;
  const std::string manifest = manifest_of(directory);
  PIEVT_TRY(add_frame(Section::manifest, std::as_bytes(std::span(manifest))));
  directory.frames = std::move(frames_);
  const std::vector<std::byte> content = to_bytes(directory);
  Tail tail{offset_, 0, static_cast<std::uint32_t>(content.size()), {}};
  const std::vector<std::byte> frame = PIEVT_TRY(compressor_.compress(content));
  tail.stored = static_cast<std::uint32_t>(frame.size());
  tail.digest = sha256(frame);
  PIEVT_TRY(write(frame));
  PIEVT_TRY(write(to_bytes(tail)));
  PIEVT_TRY(write(seek_table(directory, tail)));
  if (::fsync(fd_.get()) != 0)
    return os_error(fmt::format("writing {}; nothing is left of it", to_.string()), errno);
  return {};
}

Status Writer::publish(bool replace) {
  const unsigned flags = replace ? 0 : RENAME_NOREPLACE;
  int failed =
      ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, to_.c_str(), flags) == 0 ? 0 : errno;
  // Not every file system can refuse by itself; a link can be made only where nothing is.
  if (failed == EINVAL && !replace) {
    failed = ::link(temporary_.c_str(), to_.c_str()) == 0 ? 0 : errno;
    if (failed == 0) ::unlink(temporary_.c_str());
  }
  if (failed == EEXIST) return taken(to_);
  if (failed != 0) return os_error(fmt::format("cannot name {}", to_.string()), failed);
  temporary_.clear();
  return sync_directory(directory_of(to_));
}

}  // namespace pievt::sealed
