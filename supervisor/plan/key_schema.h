// What a key holds, as a JSON schema: for the schema of the settings and for those of the agent
// tools. The tables of keys say it in words (`holds`); these are the words.
#pragma once

#include <string>
#include <string_view>

#include "supervisor/plan/keys.h"

namespace pievt::plan {

/// The members of a schema for one value, without braces; empty for words that are not known here,
/// as for objects, whose keys are in tables of their own.
std::string_view schema_of(std::string_view holds);

/// A whole schema of an object with the keys of these tables that are allowed in `where`. Objects
/// in it are looked up by the name of their key; what has no table may hold anything.
std::string object_schema(Where where);

}  // namespace pievt::plan
