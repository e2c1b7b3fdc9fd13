// CHECKED-MANIFEST: what a writer knows of the MANIFEST it has written, in a file beside it in
// `log/`.
//
// The MANIFEST says which tables are the log. RocksDB 7.8 takes a last record that does not fit for
// one that a power cut has torn, goes on without it, and removes the tables which only that record
// names. So one bit that has changed there, on the disk or on its way from it, costs what no other
// file has. Here is written how many bytes of the MANIFEST were synced, and their sum; with that a
// torn record and a damaged one can be told apart.
//
// 64 bytes: the entry of the MANIFEST that is written now, and that of the one before it, which is
// still the log's while CURRENT has not been renamed. Little-endian, by offset:
//
//   0 magic "PCM1"   4 CRC-32C of the 24 bytes that follow
//   8 number of the MANIFEST   16 bytes of it that were synced   24 their CRC-32C   28 zero
//
// Written after each sync of the MANIFEST in place and not synced itself: it may be older than the
// MANIFEST, which only grows, and is never ahead of it. Where it is missing, torn or of another
// MANIFEST nothing is checked; it may be removed at any time.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "pievt/result.h"
#include "store/log/fd.h"

namespace pievt {

inline constexpr const char* checked_manifest = "CHECKED-MANIFEST";

/// The number in a name `MANIFEST-000005`; nothing for any other name.
std::optional<std::uint64_t> manifest_number(std::string_view name);

class CheckedManifest {
 public:
  /// Reads what is there. `log`: the directory of the log; nothing in it is made or changed yet.
  explicit CheckedManifest(std::filesystem::path log);

  /// A MANIFEST of this number is begun anew. After a failure a number can come a second time, and
  /// what is known of the first one is forgotten, durably, before a byte of the second is written.
  Status begin(std::uint64_t number);

  /// The first `length` bytes of that MANIFEST, with the sum `crc32c`, are on the disk. Where that
  /// cannot be written down nothing is lost but the check.
  void note(std::uint64_t number, std::uint64_t length, std::uint32_t crc32c);

  /// Whether it is known what all of these bytes should be, and they are.
  bool is_all_of(std::uint64_t number, std::string_view bytes) const;

  /// corrupt: a MANIFEST that has these bytes is not, or no longer, what was synced.
  Status check(std::uint64_t number, std::string_view bytes) const;

 private:
  struct Known {
    std::uint64_t number = 0;  ///< 0, which no MANIFEST has: nothing is known
    std::uint64_t length = 0;
    std::uint32_t crc32c = 0;
  };
  const Known* known(std::uint64_t number) const;
  Status write();

  std::filesystem::path log_;
  Fd file_;
  std::array<Known, 2> known_;  ///< the one that is written now, and the one before
};

/// corrupt: of the MANIFEST that CURRENT names it is known that it is damaged. For those who are
/// about to read a log without being its writer. ok where nothing is known.
Status check_manifest(const std::filesystem::path& log);

}  // namespace pievt
