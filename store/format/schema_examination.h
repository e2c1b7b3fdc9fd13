// Whether a schema makes sense. A schema can come out of a log that somebody else wrote, and a walk
// follows it blindly; so it is examined before it becomes a Schema.
#pragma once

#include <span>
#include <string_view>

#include "pievt/result.h"
#include "store/format/reflect.h"

namespace pievt::reflect {

/// Checks that every index leads to something of the right form, ids have no gaps, unions have
/// their tags, struct members lie inside their structs and no struct contains itself. Error:
/// `corrupt` or, for vectors of unions, `unsupported`; it names the type and the field.
Status examine_schema(std::span<const ObjectType> objects, std::span<const EnumType> enums);

/// The error for a binary schema in which `where` is wrong in the way `what` says.
Error broken_schema(std::string_view where, std::string_view what);

}  // namespace pievt::reflect
