#include "store/trust/sealed_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
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
  const std::filesystem::path temporary = to.string() + fmt::format(".{}.part", ::getpid());
  writer.fd_ =
      Fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!writer.fd_) return os_error(fmt::format("cannot create {}", temporary.string()), errno);
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
  return sync_directory(std::filesystem::absolute(to_).parent_path());
}

}  // namespace pievt::sealed
