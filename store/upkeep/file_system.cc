#include "store/upkeep/file_system.h"

#include <array>
#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/log/fd.h"

namespace pievt {
namespace {

struct KnownType {
  std::uint32_t magic;
  std::string_view name;
  bool is_network;
};

// The magic numbers of statfs(2).
constexpr std::array known_types = {
    KnownType{0xef53, "ext4", false},      KnownType{0x58465342, "xfs", false},
    KnownType{0x9123683e, "btrfs", false}, KnownType{0x2fc12fc1, "zfs", false},
    KnownType{0x01021994, "tmpfs", false}, KnownType{0x794c7630, "overlay", false},
    KnownType{0xf2f52010, "f2fs", false},  KnownType{0x4d44, "vfat", false},
    KnownType{0x2011bab0, "exfat", false}, KnownType{0x6969, "nfs", true},
    KnownType{0xff534d42, "cifs", true},   KnownType{0xfe534d42, "smb2", true},
    KnownType{0x01021997, "9p", true},     KnownType{0x65735546, "fuse", true},
    KnownType{0x00c36400, "ceph", true},   KnownType{0x6a656a63, "virtiofs", true},
};

Ability ability(bool worked) {
  return worked ? Ability::works : Ability::fails;
}

bool locks_a_record(int file) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return ::fcntl(file, F_SETLK, &lock) == 0;
}

bool makes_a_hole(int file) {
  constexpr off_t bytes = 64 << 10;
  const std::array<char, 4096> block{};
  for (off_t at = 0; at < bytes; at += static_cast<off_t>(block.size())) {
    if (::pwrite(file, block.data(), block.size(), at) != static_cast<ssize_t>(block.size()))
      return false;
  }
  return ::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, bytes / 2) == 0;
}

}  // namespace

Result<FileSystemFacts> examine_file_system(const std::filesystem::path& directory) {
  const Fd place(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct statfs kind {};
  struct statvfs room {};
  if (!place || ::fstatfs(place.get(), &kind) != 0 || ::fstatvfs(place.get(), &room) != 0)
    return os_error(fmt::format("cannot look at {}", directory.string()), errno);
  FileSystemFacts facts;
  const auto magic = static_cast<std::uint32_t>(kind.f_type);
  facts.type = fmt::format("{:#x}", magic);
  for (const KnownType& known : known_types) {
    if (known.magic != magic) continue;
    facts.type = known.name;
    facts.is_network = known.is_network;
  }
  facts.is_read_only = (room.f_flag & ST_RDONLY) != 0;
  facts.bytes_total = std::uint64_t{room.f_blocks} * room.f_frsize;
  facts.bytes_free = std::uint64_t{room.f_bavail} * room.f_frsize;
  facts.inodes_free = room.f_favail;
  if (facts.is_read_only) return facts;

  const Fd file(::openat(place.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return facts;
  facts.record_locks = ability(locks_a_record(file.get()));
  facts.flock = ability(::flock(file.get(), LOCK_EX | LOCK_NB) == 0);
  facts.holes = ability(makes_a_hole(file.get()));
  facts.sync = ability(::fsync(file.get()) == 0 && ::fsync(place.get()) == 0);
  return facts;
}

}  // namespace pievt
