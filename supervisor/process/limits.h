// Every bound of this folder in one place, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pievt::process::limits {

/// The kernel refuses one argument or environment variable longer than 32 pages (E2BIG).
inline constexpr std::size_t argument_bytes_max = 128u << 10;

/// What is open for as long as a child runs gets a number from here on, so that libraries find low
/// ones under the limit that children start with (1024 by default).
inline constexpr int high_fd_min = 512;

/// One read of a followed file: what is stored in one piece, so that a flood is read once, and not
/// a second time to be stored.
inline constexpr std::size_t read_bytes_max = 2u << 20;

/// Punching a hole costs 125-190 us per MiB, so smaller pieces are left to the next call.
inline constexpr std::uint64_t release_step_bytes = 1u << 20;

/// Holes are made of whole blocks; 4 KiB is the block of ext4, XFS, btrfs and tmpfs.
inline constexpr std::uint64_t release_block_bytes = 4u << 10;

/// A busy file is looked at this often: 200 children cost 4 % of a core, while one inotify event
/// for each of their writes takes half of it.
inline constexpr std::chrono::milliseconds busy_look_ms{4};

/// A file that grows by a whole read within this time is looked at when it has, not before.
inline constexpr std::chrono::milliseconds flood_look_ms{100};

/// Silence after which a busy file is left to inotify.
inline constexpr std::chrono::milliseconds busy_silence_ms{100};

/// An idle file is looked at all the same, because inotify does not tell of writes through a
/// mapping and a full event queue drops events.
inline constexpr std::chrono::milliseconds idle_look_ms{1000};

/// Wake-ups handed over at once. More stay in the kernel and come with the next call.
inline constexpr std::size_t wakeups_max = 256;

/// What is shown of a command line in a report of leftovers.
inline constexpr std::size_t command_excerpt_bytes_max = 200;

/// A file of /proc that describes one process in one line is never longer.
inline constexpr std::size_t proc_text_bytes_max = 64u << 10;

/// The kernel lets arguments and environment together take a quarter of the stack: 2 MiB by
/// default.
inline constexpr std::size_t environment_bytes_max = 4u << 20;

/// So long it is believed that a number is still the same process's: 32,768 others would have to
/// be started before it is given again.
inline constexpr std::chrono::milliseconds pid_trust_ms{500};

/// Processes whose marker is remembered; a few hundred bytes each.
inline constexpr std::size_t known_processes_max = 4096;

/// Writes taken from the kernel at once. Each comes with an open descriptor.
inline constexpr std::size_t write_events_max = 128;

/// Files whose further writes the kernel is told to keep to itself; each pins an inode.
inline constexpr std::size_t muted_files_max = 4096;

/// A forker is chased for so many rounds before its survivors are reported.
inline constexpr std::size_t sweep_rounds_max = 32;

/// So long a round waits for the ends of what it killed before it looks for more: one process that
/// hangs in the kernel must not keep the sweep from following one that forks.
inline constexpr std::chrono::milliseconds sweep_round_ms{50};

/// So often a look at all processes goes on to those that were started during it. One round takes
/// some 50 us, so only a process that does nothing but fork can keep it up to the end.
inline constexpr std::size_t chase_rounds_max = 200;

/// So long, and in such steps, a look at all processes waits for those that are just executing a
/// program: normally a fraction of a millisecond, longer when it is read from a slow disk.
inline constexpr std::chrono::milliseconds exec_wait_ms{500};
inline constexpr std::chrono::milliseconds exec_step_ms{1};

/// SIGKILL needs milliseconds; what lives longer hangs in the kernel and is reported, not awaited.
inline constexpr std::chrono::milliseconds sweep_deadline_ms{2000};

}  // namespace pievt::process::limits
