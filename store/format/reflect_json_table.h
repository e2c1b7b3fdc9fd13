// JSON of many bodies of one schema, as fast as it can be read: what the schema says about every
// field is turned into text once, so that a field that a body leaves out is one copy, and one that
// it has is its name, ready, and its value. A run has a million events; object_to_json() asks the
// schema again for each of their fields.
//
// The text is that of object_to_json() in its usual style, byte for byte; a test asks that of every
// type of event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "store/format/reflect.h"

namespace pievt::reflect {

/// Immutable once made, so any number of threads may use one at once.
class JsonTable {
 public:
  /// `schema` must stay where it is for as long.
  explicit JsonTable(const Schema& schema);

  /// Whether somebody has proven already that all of the body can be read by the schema.
  enum class Proven : std::uint8_t { no, yes };

  /// Appends one table or struct inside `body` as one JSON object on one line. As object_to_json()
  /// otherwise; after an error nothing has been appended.
  Status append(std::string& out, const ObjectType& type, std::span<const std::byte> body,
                const void* object, Proven proven = Proven::no) const;

 private:
  struct Member {
    const Field* field;
    std::string name;    ///< `,"name":`
    std::string absent;  ///< what stands for the whole member in a table without it; or nothing
  };
  using Members = std::vector<Member>;
  class Writing;

  const Schema* schema_;
  std::vector<Members> objects_;                 ///< as in the schema
  std::vector<std::vector<std::string>> names_;  ///< of enums: the members' names in quotes
};

}  // namespace pievt::reflect
