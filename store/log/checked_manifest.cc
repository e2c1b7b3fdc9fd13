#include "store/log/checked_manifest.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/hash.h"

namespace pievt {
namespace {

constexpr std::string_view manifest_prefix = "MANIFEST-";
constexpr std::uint32_t manifest_magic = 0x314d4350;  // "PCM1"

struct ManifestEntry {
  std::uint32_t magic;
  std::uint32_t own_crc32c;  // of all bytes behind it
  std::uint64_t number;
  std::uint64_t length;
  std::uint32_t crc32c;
  std::uint32_t reserved;
};
static_assert(sizeof(ManifestEntry) == 32 && offsetof(ManifestEntry, number) == 8);
static_assert(std::has_unique_object_representations_v<ManifestEntry>);

std::uint32_t own_sum(const ManifestEntry& entry) {
  return crc32c(std::as_bytes(std::span(&entry, 1)).subspan(offsetof(ManifestEntry, number)));
}

std::optional<std::string> content_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string content{std::istreambuf_iterator<char>(file), {}};
  return file.bad() ? std::nullopt : std::optional(std::move(content));
}

}  // namespace

std::optional<std::uint64_t> manifest_number(std::string_view name) {
  if (!name.starts_with(manifest_prefix)) return std::nullopt;
  const std::string_view digits = name.substr(manifest_prefix.size());
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failed != std::errc() || end != digits.data() + digits.size() || number == 0)
    return std::nullopt;
  return number;
}

CheckedManifest::CheckedManifest(std::filesystem::path log) : log_(std::move(log)) {
  const Fd file(::open((log_ / checked_manifest).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    ManifestEntry entry{};
    const auto at = static_cast<off_t>(i * sizeof(entry));
    if (::pread(file.get(), &entry, sizeof(entry), at) != sizeof(entry)) return;
    if (entry.magic != manifest_magic || entry.own_crc32c != own_sum(entry)) continue;
    known_[i] = {entry.number, entry.length, entry.crc32c};
  }
}

Status CheckedManifest::begin(std::uint64_t number) {
  if (known(number) == nullptr) return {};
  for (Known& known : known_)
    if (known.number == number) known = {};
  PIEVT_TRY(write());
  if (::fdatasync(file_.get()) == 0) return {};
  return os_error(fmt::format("cannot sync {}", (log_ / checked_manifest).string()), errno);
}

void CheckedManifest::note(std::uint64_t number, std::uint64_t length, std::uint32_t crc32c) {
  if (known_[0].number != number) known_[1] = known_[0];
  known_[0] = {number, length, crc32c};
  static_cast<void>(write());
}

Status CheckedManifest::write() {
  const std::filesystem::path path = log_ / checked_manifest;
  if (!file_) {
    file_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file_) return os_error(fmt::format("cannot open {}", path.string()), errno);
  }
  std::array<ManifestEntry, 2> entries{};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (known_[i].number == 0) continue;
    entries[i] = {manifest_magic, 0, known_[i].number, known_[i].length, known_[i].crc32c, 0};
    entries[i].own_crc32c = own_sum(entries[i]);
  }
  const ssize_t wrote = ::pwrite(file_.get(), entries.data(), sizeof(entries), 0);
  if (wrote == static_cast<ssize_t>(sizeof(entries))) return {};
  return os_error(fmt::format("cannot write {}", path.string()), wrote < 0 ? errno : EIO);
}

const CheckedManifest::Known* CheckedManifest::known(std::uint64_t number) const {
  for (const Known& known : known_)
    if (known.number == number) return &known;
  return nullptr;
}

bool CheckedManifest::is_all_of(std::uint64_t number, std::string_view bytes) const {
  const Known* known = this->known(number);
  return known != nullptr && known->length == bytes.size() && check(number, bytes).ok();
}

Status CheckedManifest::check(std::uint64_t number, std::string_view bytes) const {
  const Known* known = this->known(number);
  if (known == nullptr) return {};
  const std::string name = fmt::format("MANIFEST-{:06}, which names the log's files,", number);
  if (bytes.size() < known->length) {
    return Error{Errc::corrupt, fmt::format("{} has {} bytes, and {} were on the disk", name,
                                            bytes.size(), known->length)};
  }
  if (crc32c(bytes_of(bytes.substr(0, known->length))) == known->crc32c) return {};
  return Error{Errc::corrupt, fmt::format("{} is damaged: its first {} bytes are not those that "
                                          "were written",
                                          name, known->length)};
}

Status check_manifest(const std::filesystem::path& log) {
  const CheckedManifest known(log);  // before the MANIFEST, which a living writer makes longer
  const auto current = content_of_file(log / "CURRENT");
  if (!current) return {};
  const std::string name = current->substr(0, current->find('\n'));
  const auto number = manifest_number(name);
  if (!number) return {};
  const auto bytes = content_of_file(log / name);
  return bytes ? known.check(*number, *bytes) : Status();
}

}  // namespace pievt
