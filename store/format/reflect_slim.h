// A binary schema without what nobody needs who only reads: no comments, no tables of events that
// are not there, and no FlatBuffers around it, which take more room than what they hold. What is
// written beside events that travel alone: of the 105 KB of the whole schema (28 KB packed by zstd)
// a recorded run needs 9 KB (3 KB packed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "store/format/reflect.h"

namespace pievt::reflect {

/// `schema`, of which `tags` of the root union and all that can be reached from them are left, as
/// lists (docs/sealed_format.md). The same schema and tags always give the same bytes.
std::vector<std::byte> slim_schema(const Schema& schema, const std::set<std::int64_t>& tags);

/// The binary schema (.bfbs) of what slim_schema() wrote. A body that has one of the tags is walked
/// with it as with the whole schema, but for comments. corrupt: it is none. What is in it is not
/// looked at further: Schema::load() does that.
Result<std::vector<std::byte>> binary_schema(std::span<const std::byte> slim);

}  // namespace pievt::reflect
