// Two moments of a tree: what is different, with digests where they tell more than time stamps.
#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/format/hash.h"
#include "supervisor/workspace/open_beneath.h"
#include "supervisor/workspace/tree.h"

namespace pievt::workspace {
namespace {

constexpr std::uint64_t hashed_bytes_max = 1ull << 30;

schema::Digest to_schema(const Digest& digest) {
  std::array<std::uint8_t, 32> bytes{};
  std::ranges::transform(digest, bytes.begin(),
                         [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return schema::Digest(flatbuffers::span<const std::uint8_t, 32>(bytes));
}

bool same(const schema::Digest& a, const schema::Digest& b) {
  return std::equal(a.bytes()->begin(), a.bytes()->end(), b.bytes()->begin());
}

bool looks_the_same(const Entry& a, const Entry& b) {
  return a.kind == b.kind && a.mode == b.mode && a.size == b.size &&
         a.modified_ns == b.modified_ns && a.changed_ns == b.changed_ns && a.inode == b.inode;
}

std::optional<schema::Digest> digest_of_link(int root, const Entry& entry) {
  const process::Fd parent = open_parent(root, entry.path, Parents::must_exist);
  if (!parent.is_open()) return std::nullopt;
  std::array<char, 4096> target{};
  const ssize_t size =
      ::readlinkat(parent.get(), base_name(entry.path).c_str(), target.data(), target.size());
  if (size < 0) return std::nullopt;
  return to_schema(sha256(std::as_bytes(std::span(target.data(), static_cast<std::size_t>(size)))));
}

std::optional<Difference> difference(int root, const Entry& before, Entry& after,
                                     std::int64_t fresh_from_ns) {
  if (looks_the_same(before, after) && before.changed_ns < fresh_from_ns) {
    if (!after.digest) after.digest = before.digest;
    return std::nullopt;
  }
  if (before.kind != after.kind) {
    if (!after.digest) after.digest = digest_of(root, after);
    return Difference{Change::type_changed, &before, &after};
  }
  if (!after.digest) after.digest = digest_of(root, after);
  const bool known = before.digest && after.digest;
  if (known && same(*before.digest, *after.digest)) {
    if (before.mode == after.mode) return std::nullopt;
    return Difference{Change::mode_changed, &before, &after};
  }
  // Permissions alone move the change time but not the modification time.
  const bool only_mode = !known && before.mode != after.mode && before.size == after.size &&
                         before.modified_ns == after.modified_ns && before.inode == after.inode;
  return Difference{only_mode ? Change::mode_changed : Change::modified, &before, &after};
}

}  // namespace

const Entry* Tree::find(std::string_view path) const {
  const auto at = std::ranges::lower_bound(entries, path, {}, &Entry::path);
  return at == entries.end() || at->path != path ? nullptr : &*at;
}

std::optional<schema::Digest> digest_of(int root, const Entry& entry) {
  if (entry.kind == Kind::symlink) return digest_of_link(root, entry);
  if (entry.kind != Kind::file || entry.size > hashed_bytes_max) return std::nullopt;
  const process::Fd fd = open_beneath(root, entry.path, O_RDONLY | O_NONBLOCK);
  struct stat facts {};
  if (!fd.is_open() || ::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return std::nullopt;
  Sha256 hash;
  std::array<std::byte, 64 << 10> buffer;
  std::uint64_t bytes = 0;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return to_schema(hash.finish());
    hash.update(std::span(buffer.data(), static_cast<std::size_t>(got)));
    bytes += static_cast<std::uint64_t>(got);
    if (bytes > hashed_bytes_max) return std::nullopt;
  }
}

void keep_digests(const Tree& before, Tree& now) {
  auto old = before.entries.begin();
  for (Entry& entry : now.entries) {
    while (old != before.entries.end() && old->path < entry.path) ++old;
    if (old == before.entries.end()) return;
    if (old->path == entry.path && !entry.digest && looks_the_same(*old, entry))
      entry.digest = old->digest;
  }
}

std::vector<Difference> compare(const Tree& before, Tree& after) {
  std::vector<Difference> all;
  const Result<process::Fd> opened = open_root(after.root);
  const int root = opened.ok() ? opened->get() : -1;
  auto old = before.entries.begin();
  auto now = after.entries.begin();
  while (old != before.entries.end() || now != after.entries.end()) {
    const bool gone =
        now == after.entries.end() || (old != before.entries.end() && old->path < now->path);
    if (gone) {
      all.push_back({Change::deleted, &*old++, nullptr});
    } else if (old == before.entries.end() || now->path < old->path) {
      if (!now->digest) now->digest = digest_of(root, *now);
      all.push_back({Change::created, nullptr, &*now++});
    } else {
      if (auto seen = difference(root, *old, *now, before.fresh_from_ns)) all.push_back(*seen);
      ++old;
      ++now;
    }
  }
  return all;
}

}  // namespace pievt::workspace
