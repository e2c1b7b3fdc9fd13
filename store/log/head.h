// HEAD: how far the log is committed, for readers in other processes, and a bell that rings when
// it moves. It is a hint; the log alone is the truth, and HEAD may be deleted at any time.
//
//   offset 0      slot     the two are written in turn, so that one of them is always whole:
//   offset 512    slot     a reader takes the best of those whose checksum is right
//   offset 2048   u32      the word: grows by one with every publication; readers sleep on it
//   offset 2052   u32      waits announced since the writer last took note
//   4096 bytes, allocated
//
// Order of a publication: the fsync has returned (the caller), slot, word + 1, wake.
//
// The file is mapped, because a futex in a file needs an address, but **nothing here reads or
// writes through the mapping**: slots and word go through pread and pwrite, the announcement is
// added by the kernel (FUTEX_WAKE_OP), and the kernel compares the word (FUTEX_WAIT). So a file
// that somebody truncates under us is an error number (EFAULT) and never a SIGBUS.
//
// Announcements rather than a count of sleepers: a sleeper that is killed would stay counted for
// ever, and then "nobody waits" would never be true again. The writer clears the announcements just
// before it moves the word, and then wakes; an announcement made after that is by somebody who has
// seen the new word. An announcement that is lost to a race is one for a word that is about to
// move.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "pievt/result.h"
#include "store/log/owner.h"

namespace pievt {

using StoreId = std::array<std::byte, 16>;

struct HeadValue {
  StoreId store_id{};
  BootId boot_id{};  ///< of the boot in which it was written
  std::uint64_t epoch = 0;
  std::uint64_t committed = 0;  ///< a sequence; 0: nothing yet
  friend bool operator==(const HeadValue&, const HeadValue&) = default;
};

namespace head_layout {
inline constexpr std::size_t file_bytes = 4096;
inline constexpr std::size_t slot_bytes = 64;
inline constexpr std::size_t slot_offsets[] = {0, 512};
inline constexpr std::size_t word_offset = 2048;
inline constexpr std::size_t announced_offset = 2052;
}  // namespace head_layout

/// No wait is longer: the bound on how late a missed wake or a replaced file is noticed.
inline constexpr std::chrono::milliseconds head_wait_max{250};

/// No two wakes are closer: waking 64 readers takes 0.17 ms of the writer's time.
inline constexpr std::chrono::microseconds head_wake_interval{500};

/// The value in HEAD of `store`: of the valid slots the one with the highest epoch, then the
/// highest sequence. Nothing when there is no file or no valid slot. Of another store or an earlier
/// boot it may be: that is for the caller to compare. io when the file is there and cannot be read.
/// Any thread, any process, no lock.
Result<std::optional<HeadValue>> read_head(const std::filesystem::path& store);

struct HeadFile;

/// The writer's side. One a store (the holder of the writer lock), used by one thread.
class HeadWriter {
 public:
  /// Opens HEAD of `store`, or makes it where there is none or something that cannot be used.
  ///
  /// Keeps the value that is there until the first publication if it is of this store and of an
  /// earlier epoch; clears it otherwise, because it would win over what is published here. Whoever
  /// wants to know what the previous writer had published calls read_head() before.
  static Result<HeadWriter> open(const std::filesystem::path& store, const StoreId& store_id,
                                 std::uint64_t epoch);

  HeadWriter(HeadWriter&&) noexcept;
  HeadWriter& operator=(HeadWriter&&) noexcept;
  ~HeadWriter();

  /// Says that everything up to `committed` is as durable as the store promises, and wakes those
  /// who wait. About 1.5 us; with nobody waiting no futex call is made.
  ///
  /// When the last wake is less than head_wake_interval ago, the wake is not made but owed: the
  /// next publication makes it, or flush_owed(). Every 250 ms looks whether HEAD is still the file
  /// it has, and makes a new one if not. An error leaves readers with an older value and 250 ms of
  /// delay; the log itself is not touched by it.
  Status publish(std::uint64_t committed);

  /// When an owed wake may be made; nothing if none is owed. For the caller's timer, so that the
  /// last publication before a silence does not wait for the readers' own 250 ms.
  std::optional<std::chrono::steady_clock::time_point> owed_at() const;

  /// Makes the owed wake if one is owed and it is time. Cheap otherwise.
  Status flush_owed();

  /// How many wakes were made so far (for tests and `doctor`).
  std::uint64_t wakes() const { return wakes_; }

 private:
  explicit HeadWriter(std::unique_ptr<HeadFile> file);
  Status attach();
  Result<bool> take_announcements();
  Status check_file(std::chrono::steady_clock::time_point now);
  Status wake(std::chrono::steady_clock::time_point now);

  std::unique_ptr<HeadFile> file_;
  HeadValue value_;
  std::size_t next_slot_ = 0;
  std::uint32_t word_ = 0;
  bool owed_ = false;
  std::uint64_t wakes_ = 0;
  std::chrono::steady_clock::time_point last_wake_{};
  std::chrono::steady_clock::time_point last_check_{};
};

/// A reader's side. To miss nothing: word(), then read(), then wait() with that word if read() had
/// nothing new. One thread each.
class HeadWaiter {
 public:
  /// not_found: no HEAD, or none of the right size; perhaps no writer has been there yet.
  static Result<HeadWaiter> open(const std::filesystem::path& store);

  HeadWaiter(HeadWaiter&&) noexcept;
  HeadWaiter& operator=(HeadWaiter&&) noexcept;
  ~HeadWaiter();

  /// The word as it is now; 0 when the file has been cut, of which wait() then tells.
  std::uint32_t word() const;

  /// As read_head(), from the file that is open.
  std::optional<HeadValue> read() const;

  enum class Outcome : std::uint8_t {
    woken = 1,     ///< the word is no longer `word_seen`
    timeout = 2,   ///< it still is
    replaced = 3,  ///< HEAD was deleted, replaced or cut: open() again
  };

  /// Sleeps until the word differs from `word_seen`, at most `timeout` and at most head_wait_max.
  Outcome wait(std::uint32_t word_seen, std::chrono::milliseconds timeout) const;

 private:
  explicit HeadWaiter(std::unique_ptr<HeadFile> file);
  std::unique_ptr<HeadFile> file_;
};

}  // namespace pievt
