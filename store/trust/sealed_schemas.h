// The schemas of a run's events, each loaded once: what finding the texts of an event needs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "pievt/run_source.h"
#include "store/format/blob_refs.h"
#include "store/format/reflect.h"

namespace pievt::sealed {

class SourceSchemas {
 public:
  /// `source` must live longer.
  explicit SourceSchemas(const RunSource& source) : source_(&source) {}

  /// The schema behind what RunSource::schema_hash() says. not_found, corrupt: it cannot be had, so
  /// nobody knows what the event refers to.
  Result<const reflect::Schema*> schema(std::uint64_t hash);

  /// The texts the event refers to; chunks of output are none.
  Result<std::vector<FoundBlob>> texts(const EventView& event);

 private:
  const RunSource* source_;
  std::map<std::uint64_t, std::unique_ptr<reflect::Schema>> loaded_;
};

}  // namespace pievt::sealed
