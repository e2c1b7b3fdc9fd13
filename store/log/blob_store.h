// Texts and bytes that are too large for events. Addressed by HMAC-SHA-256 under the store's key,
// so that equal content is stored once and a digest in an event gives nothing away about a short
// text that was redacted.
//
// A small blob is one value; a larger one is a manifest plus chunks, because a value passes the
// write-ahead log and memory whole. Chunks are written while hashing and the manifest publishes
// them; chunks without one are gc's work.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/blobs.h"
#include "pievt/log.h"
#include "store/format/hash.h"
#include "store/log/rocks.h"

namespace pievt {

/// How values that are no events get into the store: directly in the writer, over its socket
/// elsewhere.
using ValuePut = std::function<Status(Family family, std::string_view key, std::string_view value)>;

class BlobStore {
 public:
  /// Without `put` it can only be read from.
  explicit BlobStore(const Rocks& rocks, ValuePut put = {})
      : rocks_(&rocks), put_(std::move(put)) {}

  /// The key every digest of this store is made with; 32 random bytes, kept in the store.
  void set_key(const BlobKey& key) { key_ = key; }

  /// There are texts, and the key for them is gone: each of them is refused with this reason.
  void lack_key(Error why) { key_state_ = std::move(why); }
  const Status& key_state() const { return key_state_; }

  Result<schema::BlobRef> put(std::span<const std::byte> content, schema::BlobKind kind);
  Result<std::vector<std::byte>> get(const schema::BlobRef& ref) const;
  /// See get_blobs().
  void get_many(std::span<const schema::BlobRef> refs, const BlobSink& sink) const;

  /// The digest `content` has here. For checking bytes that are stored elsewhere.
  Digest digest_of(std::span<const std::byte> content) const { return hmac_sha256(key_, content); }

 private:
  Status put_chunks(std::span<const std::byte> content, const Digest& digest);

  const Rocks* rocks_;
  ValuePut put_;
  BlobKey key_{};
  Status key_state_;
};

/// The key in the store's log; nothing where it has none yet. corrupt: it is damaged.
Result<std::optional<BlobKey>> load_blob_key(const Rocks& rocks);

/// Where a blob lies in Family::blobs.
std::string blob_key(const Digest& digest);

/// Where the chunks of the blob with this stored value lie; none for a blob that is one value.
/// corrupt: the value is the manifest of no blob.
Result<std::vector<std::string>> chunk_keys_of(std::string_view stored);

schema::Digest to_schema(const Digest& digest);
Digest from_schema(const schema::Digest& digest);

}  // namespace pievt
