// What can become of the files of a store at rest, and how a damaged store is judged: either it
// says so, at open, at a read or by `verify`, or it gives every event as it was.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pievt::faults {

enum class Damage : std::uint8_t {
  flip,
  zero,
  truncate,
  remove,
  swap,
  empty_family,
  garble_family
};

/// One row of the matrix.
struct DamageRow {
  Damage kind;
  std::string file;      ///< relative to the store; or the name of a family
  std::uint64_t at = 0;  ///< flip, zero, truncate: where
  std::string other;     ///< swap: with which
};

/// `flip:log/000012.sst:4096`, `swap:HEAD:LOCK`, `empty:ids`.
std::string to_text(const DamageRow& row);

/// Damage at every 64 bytes of every file below `store`, each file removed, each two swapped, and
/// each derived family emptied and garbled.
std::vector<DamageRow> all_damage(const std::filesystem::path& store);

/// Damages the store; false where the row changes nothing (zeros that were zeros).
bool inflict(const std::filesystem::path& store, const DamageRow& row);

/// Makes the reference store: tables and a live write-ahead log, blobs in one piece and in several,
/// saved views, HEAD, STORE, LOCK; as a writer left it that was killed. Returns what is in it, as
/// facts_of() says it.
std::string make_reference(const std::filesystem::path& store);

enum class Noticed : std::uint8_t { harmless, at_open, at_read, by_verify, silent };

struct DamageOutcome {
  Noticed noticed = Noticed::harmless;
  std::string what;
};

/// How the store answers now that it is damaged, as a reader and then as a writer. `facts` is what
/// it held.
DamageOutcome examine(const std::filesystem::path& store, const std::string& facts);

std::string name_of(Noticed noticed);

}  // namespace pievt::faults
