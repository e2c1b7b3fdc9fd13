#include "store/log/schema_registry.h"

#include <cstring>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "pievt/schema/envelope_bfbs_generated.h"
#include "store/format/keys.h"

namespace pievt {
namespace {

std::uint64_t short_of(const Digest& digest) {
  std::uint64_t value = 0;
  std::memcpy(&value, digest.data(), sizeof(value));
  return value;
}

std::string schema_key(std::uint64_t short_hash) {
  return {reinterpret_cast<const char*>(&short_hash), sizeof(short_hash)};
}

}  // namespace

const EmbeddedSchema& embedded_schema() {
  static const EmbeddedSchema schema = [] {
    const std::span bytes = std::as_bytes(
        std::span(schema::EnvelopeBinarySchema::data(), schema::EnvelopeBinarySchema::size()));
    const Digest digest = sha256(bytes);
    return EmbeddedSchema{bytes, digest, short_of(digest)};
  }();
  return schema;
}

Result<bool> register_schema(Rocks& rocks, const EmbeddedSchema& schema) {
  const std::string key = schema_key(schema.short_hash);
  if (PIEVT_TRY(rocks.get(Family::schemas, key))) return false;
  WriteSet set(rocks);
  set.put(Family::schemas, key, text_of(schema.bytes));
  PIEVT_TRY(rocks.write(std::move(set), Durability::memory));
  return true;
}

Result<std::vector<std::byte>> load_schema(const Rocks& rocks, std::uint64_t short_hash) {
  const auto stored = PIEVT_TRY(rocks.get(Family::schemas, schema_key(short_hash)));
  if (!stored) {
    return Error{
        Errc::corrupt,
        fmt::format("schema {:016x}, which pages of this log name, is not there", short_hash)};
  }
  const auto bytes = std::as_bytes(std::span(*stored));
  if (short_of(sha256(bytes)) != short_hash) {
    return Error{Errc::corrupt, fmt::format("schema {:016x} in this log is damaged", short_hash)};
  }
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

Result<std::uint32_t> last_actor_number(const Rocks& rocks) {
  auto cursor = rocks.cursor(Family::index);
  cursor.seek_for_prev("a\xff\xff\xff\xff");
  PIEVT_TRY(cursor.status());
  if (!cursor.valid() || !cursor.key().starts_with('a')) return 0u;
  return format::get_u32(cursor.key(), 1).value_or(0);
}

Result<bool> closed_in_good_order(const Rocks& rocks) {
  return PIEVT_TRY(rocks.get(Family::meta, "closed")).has_value();
}

}  // namespace pievt
