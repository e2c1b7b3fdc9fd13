// What stored events depend on, as lines of text that can be compared.
//
// schemas/schema.lock holds every fact that any released program ever wrote events by. A test
// prints the facts of the present schema and demands that each line of the lock is among them:
// facts may be added, never taken back. `flatc --conform` is not enough for that; it accepts a
// removed union member, a new required field, a longer struct, a removed enum value, another file
// identifier and a renamed field.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/format/reflect.h"

namespace pievt::reflect {

/// The type as the schema language writes it, with full names: `[string]`, `pievt.schema.Digest`.
std::string type_text(const Schema& schema, const Type& type);

/// One line for each fact, sorted, without duplicates, without line ends.
///
/// A change that breaks stored data or their JSON changes or removes at least one line: ids, names,
/// types and defaults of fields, which fields of a table are required, union tags, numbers and
/// width of enums, every member and the size of structs, the root and the file identifier. A change
/// that breaks nothing only adds lines: a new type, a field at the end that is not required, a
/// union member, an enum value, a deprecation.
std::vector<std::string> lock_lines(const Schema& schema);

/// The facts in the text of a lock file: its lines without empty ones and without those that begin
/// with `#`, sorted.
std::vector<std::string> parse_lock(std::string_view text);

/// The text of a lock file with these facts, and a heading that says what it is.
std::string lock_text(std::span<const std::string> facts);

struct LockDifference {
  std::vector<std::string> missing;  ///< locked, but no longer true: stored events would break
  std::vector<std::string> added;    ///< true, but not locked yet
};

/// Compares two sorted lists of facts.
LockDifference compare(std::span<const std::string> locked, std::span<const std::string> present);

/// Where the schema breaks a rule of schemas/README.md that can be seen without looking at its
/// past: one sentence each. Empty: none.
std::vector<std::string> rule_violations(const Schema& schema);

}  // namespace pievt::reflect
