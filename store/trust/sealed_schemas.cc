#include "store/trust/sealed_schemas.h"

namespace pievt::sealed {

Result<const reflect::Schema*> SourceSchemas::schema(std::uint64_t hash) {
  if (hash == 0) return &reflect::Schema::embedded_events();
  auto found = loaded_.find(hash);
  if (found == loaded_.end()) {
    const std::vector<std::byte> bytes = PIEVT_TRY(source_->schema(hash));
    auto schema = std::make_unique<reflect::Schema>(PIEVT_TRY(reflect::Schema::load(bytes)));
    found = loaded_.emplace(hash, std::move(schema)).first;
  }
  return found->second.get();
}

Result<std::vector<FoundBlob>> SourceSchemas::texts(const EventView& event) {
  const std::uint64_t hash = PIEVT_TRY(source_->schema_hash(event));
  const reflect::Schema* shape = PIEVT_TRY(schema(hash));
  std::vector<FoundBlob> found = PIEVT_TRY(blobs_of(*shape, event.body));
  std::erase_if(found, [](const FoundBlob& blob) {
    return blob.ref.kind() == schema::BlobKind::output_chunk;
  });
  return found;
}

}  // namespace pievt::sealed
