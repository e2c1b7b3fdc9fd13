// Who holds the writer lock: the owner record, its text form, and what is said to those who wait.
//
// A pid alone names nobody for long: pids are reused, also across reboots, and mean something only
// inside one pid namespace. So the record has the start time, the boot and the namespace beside it.
// The record is information for people and for recovery. It never decides who may write; the
// kernel's locks do (writer_lock.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt {

/// The kernel's random id of this boot, /proc/sys/kernel/random/boot_id, as 16 bytes.
using BootId = std::array<std::byte, 16>;

/// Of the boot we are in; all zero when /proc does not tell.
BootId current_boot_id();

struct Owner {
  std::int64_t pid = 0;               ///< in the owner's pid namespace; 0: not known
  std::uint64_t start_ticks = 0;      ///< field 22 of /proc/<pid>/stat: clock ticks since boot
  std::string boot_id;                ///< a UUID as the kernel writes it; empty: not known
  std::uint64_t pid_namespace = 0;    ///< inode of /proc/<pid>/ns/pid; 0: not known
  std::string program;                ///< short name for people; empty: not known
  std::int64_t acquired_wall_ns = 0;  ///< since 1970; 0: not known

  friend bool operator==(const Owner&, const Owner&) = default;
};

/// This process as an owner; `acquired_wall_ns` is left at 0 for the lock to fill in, and what
/// /proc does not tell is left as "not known". Of `program` the first 64 bytes, others than
/// printable ASCII as `?`.
Owner this_process(std::string_view program);

/// Another process as an owner; of one that is gone, or not visible here, only `pid` and `program`.
Owner describe_process(std::int64_t pid, std::string_view program);

/// The record as text, a line `key: value` per fact and a checksum over them in the last line, so
/// that a record torn between two owners is not taken for a third. At most 512 bytes.
std::string to_record(const Owner& owner);

/// The most bytes that are read to find a record.
inline constexpr std::size_t owner_record_bytes_max = 4096;

/// Reads what to_record writes. Nothing for any other text, whatever it is.
std::optional<Owner> parse_record(std::string_view text);

/// The sentence for whoever cannot have the lock of `store`: who has it, since when, what to do.
/// `owner` is nothing when the kernel says that somebody holds it but not who.
std::string busy_sentence(const std::filesystem::path& store, const std::optional<Owner>& owner,
                          std::int64_t now_wall_ns);

/// The same about the run `run`, which has one supervisor at a time.
std::string supervised_sentence(std::string_view run, const std::optional<Owner>& owner,
                                std::int64_t now_wall_ns);

}  // namespace pievt
