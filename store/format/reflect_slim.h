// A binary schema without what nobody needs who only reads: no comments, and no tables of events
// that are not there. What is written with events that travel alone, where the whole schema would
// be larger than the events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "store/format/reflect.h"

namespace pievt::reflect {

/// `schema` as bytes that Schema::load() reads, of which `tags` of the root union and all that can
/// be reached from them are left. A body that has one of the tags is walked as with the whole
/// schema, but for comments. The same schema and tags always give the same bytes.
std::vector<std::byte> slim_schema(const Schema& schema, const std::set<std::int64_t>& tags);

}  // namespace pievt::reflect
