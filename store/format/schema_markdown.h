// The reference of events for people, docs/events.md, written from the schema and its comments.
#pragma once

#include <string>

#include "store/format/reflect.h"

namespace pievt::reflect {

/// The whole document: every member of the root's union in the order of its tag, grouped by the
/// file that declares it, then the tables, structs and enums they are made of. Depends on the
/// schema alone, so the same schema gives the same bytes.
std::string events_markdown(const Schema& schema);

}  // namespace pievt::reflect
