#include "store/log/blob_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pievt/limits.h"
#include "store/log/blob_layout.h"
#include "store/log/blob_store.h"

namespace pievt {
namespace {

using blob_layout::Layout;
using blob_layout::Manifest;
using blob_layout::Piece;

// So many steps take as long as a search.
constexpr unsigned steps_max = 8;
// What a step over it costs is not known before it is done: its block is read.
constexpr std::size_t stepped_over_bytes_max = 4096;
constexpr unsigned vain_max = 7;
// What a thread keeps for its next reader.
constexpr std::size_t kept_bytes_max = std::size_t{4} << 20;

// Memory of a few megabytes is new from the kernel each time, and that costs as much as filling it.
thread_local std::vector<std::byte> spare_room;

}  // namespace

BlobReader::BlobReader(const Rocks& rocks, const BlobKey& key)
    : rocks_(rocks),
      blobs_(rocks.cursor(Family::blobs)),
      sum_(key),
      content_(std::exchange(spare_room, {})),
      key_("m" + std::string(sizeof(Digest), '\0')) {}

BlobReader::~BlobReader() {
  if (content_.size() <= kept_bytes_max) spare_room = std::move(content_);
}

std::span<std::byte> BlobReader::room(std::size_t size) {
  if (content_.size() < size) content_.resize(size);
  return std::span(content_).first(size);
}

// Steps to the key; false where that would take too many. Keys may be asked for in any order.
bool BlobReader::step_to(std::string_view key) {
  for (unsigned steps = 0; steps < steps_max && blobs_.valid(); ++steps) {
    const int order = blobs_.key().compare(key);
    // Past the key from the first is behind what was asked for; after a step, it is not there.
    if (order >= 0) return order == 0 || steps > 0;
    if (blobs_.value().size() > stepped_over_bytes_max) return false;
    blobs_.next();
  }
  return false;
}

bool BlobReader::move_to(std::string_view key) {
  if (moved_ && searches_ == 0 && step_to(key)) {
    if (vain_ > 0) --vain_;
  } else {
    if (searches_ > 0) {
      --searches_;
    } else if (moved_) {
      // Once may be chance; the more often it was in vain, the rarer it is tried.
      searches_ = (1u << vain_) - 1;
      vain_ = std::min(vain_ + 1, vain_max);
    }
    blobs_.seek(key);
    moved_ = true;
  }
  return blobs_.valid() && blobs_.key() == key;
}

std::optional<std::span<const std::byte>> BlobReader::whole(std::string_view value) {
  const auto piece = Piece::parse(value);
  if (!piece) return std::nullopt;
  std::span<const std::byte> content = piece->body;
  if (piece->layout == Layout::zstd) {
    const std::span<std::byte> unpacked = room(piece->size);
    if (!decompressor_.unpack(piece->body, unpacked).ok()) return std::nullopt;
    content = unpacked;
  }
  sum_.update(content);
  return content;
}

// Each chunk is summed while it is in the processor's cache.
std::optional<std::span<const std::byte>> BlobReader::chunked(std::string_view value,
                                                              std::uint64_t size) {
  const auto manifest = Manifest::parse(value);
  constexpr std::uint64_t chunk_max = limits::blob_chunk_bytes_max;
  if (!manifest || manifest->size != size || size > limits::blob_bytes_max ||
      manifest->chunks != (size + chunk_max - 1) / chunk_max)
    return std::nullopt;
  if (!chunks_) chunks_.emplace(rocks_.cursor(Family::blobs));
  const std::span<std::byte> content = room(size);
  std::size_t at = 0;
  bool good = true;
  for (std::uint32_t i = 0; good && i < manifest->chunks; ++i) {
    const std::string key = blob_layout::chunk_key(manifest->upload, i);
    i == 0 ? chunks_->seek(key) : chunks_->next();
    good = chunks_->valid() && chunks_->key() == key;
    const auto piece = good ? Piece::parse(chunks_->value()) : std::nullopt;
    good = piece && piece->size <= content.size() - at;
    if (!good) break;
    const std::span<std::byte> part = content.subspan(at, piece->size);
    if (piece->layout == Layout::raw) {
      if (!part.empty()) std::memcpy(part.data(), piece->body.data(), part.size());
    } else {
      good = decompressor_.unpack(piece->body, part).ok();
    }
    if (good) sum_.update(part);
    at += part.size();
  }
  if (good && at == size) return content;
  static_cast<void>(sum_.finish());  // ready for the next one
  return std::nullopt;
}

std::optional<std::span<const std::byte>> BlobReader::read(const schema::BlobRef& ref) {
  const Digest wanted = from_schema(ref.digest());
  if (!last_ || wanted != digest_) {
    digest_ = wanted;
    last_.reset();
    std::memcpy(key_.data() + 1, wanted.data(), wanted.size());
    if (!move_to(key_)) return std::nullopt;
    const std::string_view value = blobs_.value();
    last_ = !value.empty() && value[0] == static_cast<char>(Layout::chunked)
                ? chunked(value, ref.size())
                : whole(value);
    if (last_ && sum_.finish() != wanted) last_.reset();
  }
  return last_ && last_->size() == ref.size() ? last_ : std::nullopt;
}

}  // namespace pievt
