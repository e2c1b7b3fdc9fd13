#include "store/log/blob_store.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "pievt/limits.h"
#include "store/format/keys.h"
#include "store/format/zstd_codec.h"
#include "store/log/blob_layout.h"
#include "store/log/blob_reader.h"

namespace pievt {
namespace {

using blob_layout::chunk_key;
using blob_layout::Layout;
using blob_layout::Manifest;
using blob_layout::Piece;

constexpr int compression_level = 3;

std::string manifest_key(const Digest& digest) {
  return "m" + std::string(text_of(digest));
}

// `layout size bytes`, compressed where that helps.
Result<std::string> pack(std::span<const std::byte> content) {
  const std::vector<std::byte> packed = PIEVT_TRY(compress(content, compression_level));
  const bool helps = packed.size() < content.size();
  std::string value(1, static_cast<char>(helps ? Layout::zstd : Layout::raw));
  format::put_u64(value, content.size());
  value += text_of(helps ? std::span<const std::byte>(packed) : content);
  return value;
}

Result<std::vector<std::byte>> unpack_value(std::string_view value) {
  const auto piece = Piece::parse(value);
  if (!piece) return Error{Errc::corrupt, "a blob's header is damaged"};
  if (piece->layout == Layout::zstd) return decompress(piece->body, piece->size);
  return std::vector<std::byte>(piece->body.begin(), piece->body.end());
}

}  // namespace

Result<std::optional<BlobKey>> load_blob_key(const Rocks& rocks) {
  const auto stored = PIEVT_TRY(rocks.get(Family::meta, "blob-key"));
  if (!stored) return std::optional<BlobKey>();
  BlobKey key{};
  if (stored->size() != key.size())
    return Error{Errc::corrupt, "the store's blob key is damaged; restore a backup"};
  std::memcpy(key.data(), stored->data(), key.size());
  return std::optional(key);
}

std::string blob_key(const Digest& digest) {
  return manifest_key(digest);
}

Result<std::vector<std::string>> chunk_keys_of(std::string_view stored) {
  std::vector<std::string> keys;
  if (stored.empty()) return Error{Errc::corrupt, "a blob's manifest is empty"};
  if (stored[0] != static_cast<char>(Layout::chunked)) return keys;
  const auto manifest = Manifest::parse(stored);
  if (!manifest) return Error{Errc::corrupt, "a blob's manifest is damaged"};
  for (std::uint32_t i = 0; i < manifest->chunks; ++i)
    keys.push_back(chunk_key(manifest->upload, i));
  return keys;
}

schema::Digest to_schema(const Digest& digest) {
  schema::Digest out;
  std::memcpy(&out, digest.data(), sizeof(out));
  return out;
}

Digest from_schema(const schema::Digest& digest) {
  Digest out;
  std::memcpy(out.data(), &digest, sizeof(digest));
  return out;
}

Result<schema::BlobRef> BlobStore::put(std::span<const std::byte> content, schema::BlobKind kind) {
  if (content.size() > limits::blob_bytes_max) {
    return Error{Errc::invalid, fmt::format("a blob has {} bytes; at most {} are allowed",
                                            content.size(), limits::blob_bytes_max)};
  }
  PIEVT_TRY(key_state_);
  const Digest digest = digest_of(content);
  const schema::BlobRef ref(to_schema(digest), content.size(), 0, kind, 0);
  if (PIEVT_TRY(rocks_->get(Family::blobs, manifest_key(digest)))) return ref;
  if (content.size() > limits::blob_chunk_bytes_max) {
    PIEVT_TRY(put_chunks(content, digest));
    return ref;
  }
  const std::string packed = PIEVT_TRY(pack(content));
  PIEVT_TRY(put_(Family::blobs, manifest_key(digest), packed));
  return ref;
}

Status BlobStore::put_chunks(std::span<const std::byte> content, const Digest& digest) {
  const AppendId upload = new_append_id();
  const std::string_view upload_text = text_of(upload.bytes);
  std::uint32_t chunk = 0;
  for (std::size_t at = 0; at < content.size(); at += limits::blob_chunk_bytes_max, ++chunk) {
    const std::size_t size = std::min(limits::blob_chunk_bytes_max, content.size() - at);
    const std::string packed = PIEVT_TRY(pack(content.subspan(at, size)));
    PIEVT_TRY(put_(Family::blobs, chunk_key(upload_text, chunk), packed));
  }
  std::string manifest(1, static_cast<char>(Layout::chunked));
  format::put_u64(manifest, content.size());
  format::put_u32(manifest, chunk);
  manifest += upload_text;
  return put_(Family::blobs, manifest_key(digest), manifest);
}

Result<std::vector<std::byte>> BlobStore::get(const schema::BlobRef& ref) const {
  const Digest digest = from_schema(ref.digest());
  const auto stored = PIEVT_TRY(rocks_->get(Family::blobs, manifest_key(digest)));
  if (!stored) {
    return Error{
        Errc::not_found,
        fmt::format("blob {} is not in this store; it was never stored, or was redacted or "
                    "removed",
                    hex(digest))};
  }
  PIEVT_TRY(key_state_);
  std::vector<std::byte> content;
  if (stored->empty())
    return Error{Errc::corrupt, fmt::format("blob {}: its manifest is empty", hex(digest))};
  if ((*stored)[0] != static_cast<char>(Layout::chunked)) {
    content = PIEVT_TRY(unpack_value(*stored));
  } else {
    const std::uint32_t chunks = format::get_u32(*stored, 9).value_or(0);
    const std::string_view upload =
        std::string_view(*stored).substr(std::min<std::size_t>(13, stored->size()));
    for (std::uint32_t i = 0; i < chunks; ++i) {
      const auto value = PIEVT_TRY(rocks_->get(Family::blobs, chunk_key(upload, i)));
      if (!value || value->size() < 9) {
        return Error{Errc::corrupt,
                     fmt::format("blob {}: chunk {} of {} is missing", hex(digest), i, chunks)};
      }
      const std::vector<std::byte> part = PIEVT_TRY(unpack_value(*value));
      content.insert(content.end(), part.begin(), part.end());
    }
  }
  if (content.size() != ref.size() || digest_of(content) != digest) {
    return Error{Errc::corrupt,
                 fmt::format("blob {}: its bytes are not what was stored", hex(digest))};
  }
  return content;
}

namespace {

// The references in the order of their digests. The first eight bytes, which nearly always decide,
// stand beside the position: sorting then stays in a few pages of memory.
class ByDigest {
 public:
  explicit ByDigest(std::span<const schema::BlobRef> refs) {
    order_.reserve(refs.size());
    for (std::size_t at = 0; at < refs.size(); ++at) {
      std::uint64_t front = 0;
      std::memcpy(&front, &refs[at].digest(), sizeof(front));
      order_.push_back(
          {std::endian::native == std::endian::little ? __builtin_bswap64(front) : front, at});
    }
    std::ranges::sort(order_, [&](const Place& a, const Place& b) {
      if (a.front != b.front) return a.front < b.front;
      return std::memcmp(&refs[a.at].digest(), &refs[b.at].digest(), sizeof(Digest)) < 0;
    });
  }

  struct Place {
    std::uint64_t front;
    std::size_t at;
  };
  std::span<const Place> order() const { return order_; }

 private:
  std::vector<Place> order_;
};

}  // namespace

void BlobStore::get_many(std::span<const schema::BlobRef> refs, const BlobSink& sink) const {
  const ByDigest sorted(refs);
  BlobReader reader(*rocks_, key_);
  for (const ByDigest::Place& place : sorted.order()) {
    const schema::BlobRef& ref = refs[place.at];
    if (const auto content = key_state_.ok() ? reader.read(ref) : std::nullopt) {
      sink(place.at, *content);
      continue;
    }
    const Result<std::vector<std::byte>> alone = get(ref);
    if (alone.ok()) {
      sink(place.at, std::span<const std::byte>(*alone));
    } else {
      sink(place.at, alone.error());
    }
  }
}

}  // namespace pievt
