// See follow_file.h.
#include "supervisor/process/follow_file.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/open_files.h"

namespace pievt::process {
namespace {

Error changed(const std::filesystem::path& path, std::uint64_t offset, std::string_view how) {
  return {Errc::corrupt,
          fmt::format("{} {} while it was followed at byte {}; only its writer's own user can do "
                      "that; treat what comes after as unknown",
                      path.string(), how, offset)};
}

Status check_kind(const std::filesystem::path& path, const struct stat& info) {
  if (!S_ISREG(info.st_mode))
    return Error{Errc::invalid, fmt::format("{} is not a plain file", path.string())};
  if (info.st_uid != ::geteuid())
    return Error{Errc::invalid, fmt::format("{} belongs to user {}, and only a file of our own is "
                                            "followed",
                                            path.string(), info.st_uid)};
  if (info.st_nlink != 1)
    return Error{Errc::invalid, fmt::format("{} has {} names, and a followed file has one",
                                            path.string(), info.st_nlink)};
  return {};
}

bool is_shorter(const struct stat& info, std::uint64_t offset) {
  return static_cast<std::uint64_t>(info.st_size) < offset;
}

}  // namespace

Result<FollowFile> FollowFile::open(const std::filesystem::path& path, std::uint64_t offset) {
  // Open for writing too, because making a hole is writing. O_NONBLOCK: a named pipe must not
  // keep us waiting for its other end.
  Fd fd(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.is_open() && errno == ELOOP)
    return Error{
        Errc::invalid,
        fmt::format("{} is a symbolic link, and only a plain file is followed", path.string())};
  if (!fd.is_open() && errno == EISDIR)
    return Error{Errc::invalid, fmt::format("{} is not a plain file", path.string())};
  if (!fd.is_open()) return os_error(fmt::format("cannot follow {}", path.string()), errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return os_error(fmt::format("cannot examine {}", path.string()), errno);
  PIEVT_TRY(check_kind(path, info));
  if (is_shorter(info, offset))
    return Error{Errc::corrupt, fmt::format("{} has {} bytes, but {} were read before; it was cut",
                                            path.string(), info.st_size, offset)};
  FollowFile file(kept_high(std::move(fd)), path, offset);
  file.device_ = info.st_dev;
  file.inode_ = info.st_ino;
  return file;
}

Result<std::uint64_t> FollowFile::checked_size() const {
  struct stat ours {};
  if (::fstat(fd(), &ours) != 0)
    return os_error(fmt::format("cannot examine {}", path_.string()), errno);
  if (is_shorter(ours, offset_))
    return changed(path_, offset_, fmt::format("was cut to {} bytes", ours.st_size));
  if (ours.st_nlink > 1) return changed(path_, offset_, "was given a second name");
  struct stat named {};
  const int looked = ::fstatat(AT_FDCWD, path_.c_str(), &named, AT_SYMLINK_NOFOLLOW);
  if (looked != 0 && errno != ENOENT && errno != ENOTDIR)
    return os_error(fmt::format("cannot examine {}", path_.string()), errno);
  if (looked != 0 || ours.st_nlink == 0) return changed(path_, offset_, "was removed");
  if (named.st_dev != device_ || named.st_ino != inode_)
    return changed(path_, offset_, "was replaced");
  return static_cast<std::uint64_t>(ours.st_size);
}

Result<std::uint64_t> FollowFile::unread() const {
  return PIEVT_TRY(checked_size()) - offset_;
}

Result<std::span<const std::byte>> FollowFile::read_new(ReadBuffer& buffer, std::size_t bytes_max) {
  PIEVT_TRY(checked_size());
  const std::span<std::byte> into =
      buffer.bytes().first(std::min(bytes_max, buffer.bytes().size()));
  const std::size_t got = PIEVT_TRY(read_at(into, offset_));
  offset_ += got;
  return std::span<const std::byte>(into.first(got));
}

Result<std::span<const std::byte>> FollowFile::read_again(ReadBuffer& buffer,
                                                          std::uint64_t offset) const {
  PIEVT_ASSERT(offset <= offset_);
  const std::span<std::byte> into =
      buffer.bytes().first(std::min<std::uint64_t>(offset_ - offset, buffer.bytes().size()));
  std::size_t done = 0;
  while (done < into.size()) {
    const std::size_t got = PIEVT_TRY(read_at(into.subspan(done), offset + done));
    if (got == 0) return changed(path_, offset + done, "was cut");
    done += got;
  }
  return std::span<const std::byte>(into);
}

Result<std::size_t> FollowFile::read_at(std::span<std::byte> into, std::uint64_t offset) const {
  ssize_t got = 0;
  do {
    got = ::pread(fd(), into.data(), into.size(), static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  if (got < 0)
    return os_error(fmt::format("cannot read {} at byte {}", path_.string(), offset), errno);
  return static_cast<std::size_t>(got);
}

Result<Release> FollowFile::release_before(std::uint64_t offset) {
  if (offset > offset_)
    return Error{Errc::invalid, fmt::format("cannot release {} before byte {}: read is only {}",
                                            path_.string(), offset, offset_)};
  const std::uint64_t end = offset - offset % limits::release_block_bytes;
  if (keeps_space_ || end < released_ + limits::release_step_bytes) return Release::deferred;
  int done = 0;
  do {
    done = ::fallocate(fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                       static_cast<off_t>(released_), static_cast<off_t>(end - released_));
  } while (done != 0 && errno == EINTR);
  if (done == 0) {
    released_ = end;
    return Release::released;
  }
  if (errno != EOPNOTSUPP && errno != ENOSYS)
    return os_error(fmt::format("cannot release {} before byte {}", path_.string(), end), errno);
  keeps_space_ = true;
  return Release::unsupported;
}

}  // namespace pievt::process
