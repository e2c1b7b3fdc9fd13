#include "store/trust/sealed_file.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::sealed {
namespace {

std::size_t index_of(Section section) {
  return static_cast<std::size_t>(section);
}

}  // namespace

Result<File> File::open(const std::filesystem::path& path) {
  File file;
  file.path_ = path;
  // Without O_NONBLOCK a pipe of that name would be waited for.
  file.fd_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.fd_) return os_error(fmt::format("cannot read {}", path.string()), errno);
  struct stat facts {};
  if (::fstat(file.fd_.get(), &facts) != 0)
    return os_error(fmt::format("cannot read {}", path.string()), errno);
  if (!S_ISREG(facts.st_mode))
    return Error{Errc::invalid, fmt::format("{} is no file and so no sealed run", path.string())};
  file.bytes_ = static_cast<std::uint64_t>(facts.st_size);
  if (const Status read = file.read_end(); !read.ok()) return file.here(read.error());
  return file;
}

Error File::here(const Error& error) const {
  return {error.code, fmt::format("{}: {}", path_.string(), error.what)};
}

Status File::read_end() {
  const auto begin = PIEVT_TRY(pread(0, std::min<std::uint64_t>(bytes_, head_bytes)));
  if (is_later_head(begin))
    return Error{Errc::too_new, "a later version sealed this run; use that to read it"};
  if (!std::ranges::equal(begin, head()))
    return Error{Errc::invalid, "that is no sealed run of pievt"};
  const Error cut{Errc::corrupt, "the end of the sealed run is damaged, or was cut off"};
  if (bytes_ < head_bytes + tail_bytes + seek_footer_bytes) return cut;
  const auto footer = PIEVT_TRY(pread(bytes_ - seek_footer_bytes, seek_footer_bytes));
  const std::uint64_t table =
      PIEVT_TRY(seek_table_bytes(std::span(footer).first<seek_footer_bytes>()));
  if (table > bytes_ - head_bytes - tail_bytes) return cut;
  const std::uint64_t tail_at = bytes_ - table - tail_bytes;
  const auto tail_text = PIEVT_TRY(pread(tail_at, tail_bytes));
  const Tail tail = PIEVT_TRY(parse_tail(tail_text));
  if (tail.directory > tail_at || tail_at - tail.directory != tail.stored) return cut;
  const auto directory =
      PIEVT_TRY(frame_at(tail.directory, tail.stored, tail.raw, tail.digest, plain_));
  directory_ = PIEVT_TRY(parse_directory(directory));
  PIEVT_TRY(place_frames(tail));
  if (PIEVT_TRY(pread(bytes_ - table, table)) != seek_table(directory_, tail))
    return Error{Errc::corrupt, "the seek table of the sealed run is damaged"};
  return read_dictionary();
}

Status File::place_frames(const Tail& tail) {
  std::array<std::uint64_t, 256> addresses{};
  std::uint64_t offset = head_bytes;
  for (const Frame& frame : directory_.frames) {
    std::uint64_t& address = addresses[index_of(frame.section)];
    sections_[index_of(frame.section)].push_back(places_.size());
    places_.push_back({offset, address});
    offset += frame.stored;
    address += frame.raw;
  }
  if (offset == tail.directory) return {};
  return Error{Errc::corrupt, "the frames of the sealed run do not lie where they should"};
}

Status File::read_dictionary() {
  if (frames_of(Section::dictionary).empty()) return {};
  const Content dictionary = PIEVT_TRY(frame(frames_of(Section::dictionary).front()));
  return primed_.use(*dictionary);
}

Result<std::vector<std::byte>> File::pread(std::uint64_t offset, std::uint64_t size) const {
  if (offset > bytes_ || size > bytes_ - offset)
    return Error{Errc::corrupt, "the sealed run ends too early"};
  std::vector<std::byte> bytes(size);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::pread(fd_.get(), bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error("reading failed", errno);
    if (got == 0) return Error{Errc::corrupt, "the sealed run became shorter while it was read"};
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<std::vector<std::byte>> File::frame_at(std::uint64_t offset, std::uint32_t stored,
                                              std::uint32_t raw, const Digest& digest,
                                              FrameDecompressor& with) const {
  const std::vector<std::byte> bytes = PIEVT_TRY(pread(offset, stored));
  if (sha256(bytes) != digest)
    return Error{Errc::corrupt,
                 fmt::format("the {} bytes at {} are not what was sealed", stored, offset)};
  return with.decompress(bytes, raw);
}

Result<Content> File::frame(std::size_t number) const {
  const Frame& frame = directory_.frames[number];
  Kept& kept = kept_[index_of(frame.section)];
  if (kept.number == number) return kept.content;
  auto& with = frame.section == Section::events ? primed_ : plain_;
  auto content =
      PIEVT_TRY(frame_at(places_[number].offset, frame.stored, frame.raw, frame.digest, with));
  kept = {number, std::make_shared<const std::vector<std::byte>>(std::move(content))};
  return kept.content;
}

const std::vector<std::size_t>& File::frames_of(Section section) const {
  return sections_[index_of(section)];
}

std::uint64_t File::bytes_of(Section section) const {
  const auto& frames = frames_of(section);
  if (frames.empty()) return 0;
  return places_[frames.back()].address + directory_.frames[frames.back()].raw;
}

Status File::read(Section section, std::uint64_t address, std::uint64_t size,
                  const ByteSink& sink) const {
  const std::uint64_t all = bytes_of(section);
  if (address > all || size > all - address)
    return Error{Errc::corrupt, "something lies where the sealed run has nothing"};
  const auto& frames = frames_of(section);
  // The last frame that begins at or before the address.
  auto at = std::ranges::upper_bound(frames, address, {},
                                     [&](std::size_t number) { return places_[number].address; });
  for (; size > 0; ++at) {
    const std::size_t number = *std::prev(at);
    const Content content = PIEVT_TRY(frame(number));
    const std::uint64_t skip = address - places_[number].address;
    const std::uint64_t piece = std::min<std::uint64_t>(size, content->size() - skip);
    if (piece > 0) PIEVT_TRY(sink(std::span(*content).subspan(skip, piece)));
    address += piece;
    size -= piece;
  }
  return {};
}

Result<std::vector<std::byte>> File::read(Section section, std::uint64_t address,
                                          std::uint64_t size) const {
  // What it claims to be is not allocated before it is there.
  std::vector<std::byte> bytes;
  PIEVT_TRY(read(section, address, size, [&](std::span<const std::byte> piece) -> Status {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return {};
  }));
  return bytes;
}

}  // namespace pievt::sealed
