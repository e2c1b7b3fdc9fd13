// Which bodies an event refers to. Found by its schema, so an event type that is added tomorrow is
// covered without a line here.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pievt/event.h"
#include "store/format/reflect.h"

namespace pievt {

struct FoundBlob {
  std::string field;  ///< the name of the field that holds it
  schema::BlobRef ref;
};

/// Every BlobRef in `body`, an Envelope of `schema`, in the order of its fields. corrupt: the body
/// does not fit the schema.
Result<std::vector<FoundBlob>> blobs_of(const reflect::Schema& schema,
                                        std::span<const std::byte> body);

}  // namespace pievt
