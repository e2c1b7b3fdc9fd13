#include "store/upkeep/ruins.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "pievt/limits.h"
#include "store/format/page.h"
#include "store/format/zstd_codec.h"
#include "store/log/fd.h"

namespace pievt {
namespace {

// A block holds entries up to 32 KiB and the one that goes over it, which may be a whole page.
constexpr std::size_t block_content_max = 2u << 20;

// As much of the file as can be read: what lies behind a place that cannot is still wanted, so it
// is read as zeros.
Result<std::vector<std::byte>> read_file(const std::filesystem::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0)
    return os_error(fmt::format("cannot read {}", file.string()), errno);
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  constexpr std::size_t step = 64u << 10;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t want = std::min(step, bytes.size() - at);
    const ssize_t got = ::pread(fd.get(), bytes.data() + at, want, static_cast<off_t>(at));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    at += got < 0 ? want : static_cast<std::size_t>(got);
  }
  return bytes;
}

template <class T>
T number_at(std::span<const std::byte> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

// The page that begins at the start of `bytes`, or nothing.
std::span<const std::byte> page_at(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(format::PageHeader)) return {};
  format::PageHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != format::page_magic || header.page_bytes < sizeof(header) ||
      header.page_bytes > limits::page_bytes_max || header.page_bytes > bytes.size())
    return {};
  const auto page = bytes.first(header.page_bytes);
  const std::uint32_t crc = crc32c(page.subspan(offsetof(format::PageHeader, version)));
  return crc == header.crc32c ? page : std::span<const std::byte>();
}

// RocksDB stores checksums rotated, so that a sum over bytes that hold sums is still a good one.
std::uint32_t unmasked(std::uint32_t stored) {
  const std::uint32_t rotated = stored - 0xa282ead8u;
  return rotated >> 17 | rotated << 15;
}

namespace wal {
constexpr std::size_t block_bytes = 32u << 10;
constexpr std::size_t header_bytes = 7;
enum Part : std::uint8_t { zero = 0, full = 1, first = 2, middle = 3, last = 4 };
}  // namespace wal

}  // namespace

void find_pages(std::span<const std::byte> bytes, const PageSink& sink) {
  constexpr std::array<char, 4> magic = {'P', 'A', 'G', 'E'};
  const std::string_view all = text_of(bytes);
  for (std::size_t at = all.find(magic.data(), 0, magic.size()); at != std::string_view::npos;) {
    const auto page = page_at(bytes.subspan(at));
    if (!page.empty()) sink(text_of(page));
    at = all.find(magic.data(), at + std::max<std::size_t>(page.size(), 1), magic.size());
  }
}

Status find_pages_in_table(const std::filesystem::path& file, const PageSink& sink) {
  const std::vector<std::byte> bytes = PIEVT_TRY(read_file(file));
  find_pages(bytes, sink);
  constexpr std::string_view frame_magic = "\x28\xb5\x2f\xfd";
  const std::string_view all = text_of(bytes);
  for (std::size_t at = all.find(frame_magic); at != std::string_view::npos;) {
    const auto frame = decompress_first(std::span(bytes).subspan(at), block_content_max);
    if (frame.ok()) find_pages(frame->content, sink);
    at = all.find(frame_magic, at + (frame.ok() ? frame->frame_bytes : 1));
  }
  return {};
}

Result<LogFileDamage> read_log_file(const std::filesystem::path& file, const LogFileSink& sink) {
  const std::vector<std::byte> bytes = PIEVT_TRY(read_file(file));
  LogFileDamage damage;
  std::string record;
  bool begun = false;  // `record` begins with the first part
  const auto give_up = [&] {
    if (!record.empty()) sink.fragment(record);
    record.clear();
    begun = false;
  };
  const auto skip = [&](std::size_t at, std::size_t count) {
    if (damage.bytes_skipped == 0) damage.first_at = at;
    damage.bytes_skipped += count;
    give_up();
  };
  for (std::size_t block = 0; block < bytes.size(); block += wal::block_bytes) {
    const auto part =
        std::span(bytes).subspan(block, std::min(wal::block_bytes, bytes.size() - block));
    std::size_t at = 0;
    while (part.size() - at >= wal::header_bytes) {
      const auto size = number_at<std::uint16_t>(part, at + 4);
      const auto type = number_at<std::uint8_t>(part, at + 6);
      if (type == wal::zero && size == 0) break;  // room that was set aside and not used
      const bool fits =
          size <= part.size() - at - wal::header_bytes && type >= wal::full && type <= wal::last;
      if (!fits || crc32c(part.subspan(at + 6, size + std::size_t{1})) !=
                       unmasked(number_at<std::uint32_t>(part, at))) {
        skip(block + at, part.size() - at);
        break;
      }
      const std::string_view content = text_of(part.subspan(at + wal::header_bytes, size));
      at += wal::header_bytes + size;
      if (type == wal::full || type == wal::first) {
        give_up();
        begun = true;
      }
      record += content;
      if (type != wal::full && type != wal::last) continue;
      if (begun) {
        sink.record(record);
        record.clear();
        begun = false;
      }
      give_up();
    }
  }
  give_up();
  return damage;
}

}  // namespace pievt
