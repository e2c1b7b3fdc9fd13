// Reads one blob after the other. Asked for in the order of their digests it moves through the
// store's files once; where the keys that are asked for lie close together it steps from one to the
// next, which costs a tenth of a search. A blob is unpacked into the same memory as the one before.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pievt/event.h"
#include "store/format/hash.h"
#include "store/format/zstd_codec.h"
#include "store/log/rocks.h"

namespace pievt {

/// For one thread. Sees the store as it was when this was made.
class BlobReader {
 public:
  /// `rocks` must live longer.
  BlobReader(const Rocks& rocks, const BlobKey& key);
  ~BlobReader();
  BlobReader(const BlobReader&) = delete;
  BlobReader& operator=(const BlobReader&) = delete;

  /// The content, good until the next call, where all of it is there and it is what `ref` says.
  /// Nothing otherwise: BlobStore::get() finds out why.
  std::optional<std::span<const std::byte>> read(const schema::BlobRef& ref);

 private:
  bool move_to(std::string_view key);
  bool step_to(std::string_view key);
  std::optional<std::span<const std::byte>> whole(std::string_view value);
  std::optional<std::span<const std::byte>> chunked(std::string_view value, std::uint64_t size);
  std::span<std::byte> room(std::size_t size);

  const Rocks& rocks_;
  Rocks::Cursor blobs_;
  std::optional<Rocks::Cursor> chunks_;
  KeyedSha256 sum_;
  Decompressor decompressor_;
  std::vector<std::byte> content_;
  std::string key_;
  Digest digest_{};                                   // that was asked for last
  std::optional<std::span<const std::byte>> last_{};  // what it was
  bool moved_ = false;
  unsigned searches_ = 0;  // to make before steps are tried again
  unsigned vain_ = 0;      // how much oftener they led nowhere than not
};

}  // namespace pievt
