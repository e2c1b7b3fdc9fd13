#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/keys.h"
#include "store/upkeep/copy.h"

namespace pievt {
namespace {

// Enough that a write is worth its while, and little enough that a cut costs little.
constexpr std::size_t set_bytes_max = 256u << 10;

}  // namespace

CopyTarget::CopyTarget(Rocks* rocks, Preview preview, OlderKnowledge older)
    : rocks_(rocks), writes_(preview == Preview::no) {
  if (!writes_) return;
  derivation_.emplace(*rocks_, std::move(older));
  set_.emplace(*rocks_);
}

bool CopyTarget::has(Family family, std::string_view key) const {
  if (previewed_.contains(std::string(key))) return true;
  if (rocks_ == nullptr) return false;
  const auto stored = rocks_->get(family, key);
  return stored.ok() && *stored;
}

Status CopyTarget::check_blob(const BlobKey& key, const schema::BlobRef& ref) const {
  BlobStore blobs(*rocks_);
  blobs.set_key(key);
  if (const auto content = blobs.get(ref); !content.ok()) return content.error();
  return {};
}

Status CopyTarget::put(Family family, std::string_view key, std::string_view value) {
  if (!writes_) {
    previewed_.emplace(key);
    return {};
  }
  WriteSet set(*rocks_);
  set.put(family, key, value);
  return rocks_->write(std::move(set), Durability::memory);
}

Status CopyTarget::remove(Family family, std::string_view key) {
  WriteSet set(*rocks_);
  set.remove(family, key);
  return rocks_->write(std::move(set), Durability::memory);
}

Status CopyTarget::page(const StoredPage& page, std::span<const EventView> events) {
  closed_ = !events.empty() && events.back().type() == schema::Payload::WriterClosed;
  if (!writes_) return {};
  set_->put(Family::log, format::log_key(page.last()), text_of(page.bytes()));
  PIEVT_TRY(derivation_->page(page, events, *set_));
  set_bytes_ += page.bytes().size();
  if (set_bytes_ >= set_bytes_max && derivation_->between_commits()) return write();
  return {};
}

Status CopyTarget::write() {
  // Handed to the kernel: who is killed goes on from here.
  PIEVT_TRY(rocks_->write(std::move(*set_), Durability::wal));
  set_.emplace(*rocks_);
  set_bytes_ = 0;
  return {};
}

Status CopyTarget::finish() {
  if (!writes_) return {};
  if (closed_ && *closed_) set_->put(Family::meta, "closed", "1");
  if (closed_ && !*closed_) set_->remove(Family::meta, "closed");
  PIEVT_TRY(write());
  return rocks_->flush_wal(Durability::fsync);
}

}  // namespace pievt
