// The binary schemas a log was written with, kept in the log itself, so that an old program can
// show what a newer one wrote. A page names its schema by the first 8 bytes of the schema's
// SHA-256.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "store/format/hash.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"

namespace pievt {

struct EmbeddedSchema {
  std::span<const std::byte> bytes;
  Digest digest;
  std::uint64_t short_hash;
};

/// The schema this program was built with.
const EmbeddedSchema& embedded_schema();

/// Stores it unless it is there. True: it was new to this log.
Result<bool> register_schema(Rocks& rocks, const EmbeddedSchema& schema);

/// One that a page of this log names. corrupt: it is not there, or its bytes do not have that hash.
Result<std::vector<std::byte>> load_schema(const Rocks& rocks, std::uint64_t short_hash);

/// The highest number a process has in stamps.
Result<std::uint32_t> last_actor_number(const Rocks& rocks);

/// Whether the writer before closed the log.
Result<bool> closed_in_good_order(const Rocks& rocks);

/// What HEAD promises for the running boot; 0 where it promises nothing that counts.
std::uint64_t promised_sequence(const std::filesystem::path& store, const StoreIdentity& identity);

}  // namespace pievt
