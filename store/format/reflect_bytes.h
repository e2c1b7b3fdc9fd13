// How a FlatBuffer lies in memory, as far as walking one by its schema needs it. Only for the files
// reflect_*.cc. Numbers are copied out with memcpy: where an element of a vector lies is up to
// whoever wrote it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "flatbuffers/flatbuffers.h"
#include "store/format/reflect.h"

namespace pievt::reflect {

inline const flatbuffers::Table* as_table(const std::uint8_t* at) {
  return reinterpret_cast<const flatbuffers::Table*>(at);
}

template <class T>
T load(const std::uint8_t* at) {
  T number;
  std::memcpy(&number, at, sizeof(number));
  return number;
}

/// Where the offset stored at `at` leads.
inline const std::uint8_t* follow(const std::uint8_t* at) {
  return at + load<std::uint32_t>(at);
}

inline std::size_t index_of(const Type& type) {
  return static_cast<std::size_t>(type.index);
}

/// Bytes that one value takes where it is stored: in a struct, a table's slot or a vector.
inline std::size_t inline_size(const Schema& schema, Base base, const Type& type) {
  if (base != Base::object) return size_of(base);
  const ObjectType& object = schema.objects()[index_of(type)];
  return object.form == ObjectType::Form::structure ? object.size : size_of(Base::object);
}

/// The table behind the union whose tag field is `tag_field` in the table at `table_at`; nullptr
/// where the schema has no table for the tag.
inline const ObjectType* table_behind(const Schema& schema, const Field& tag_field,
                                      const std::uint8_t* table_at) {
  const auto tag = as_table(table_at)->GetField<std::uint8_t>(tag_field.offset, 0);
  return schema.member_table(schema.enums()[index_of(tag_field.type)], tag);
}

}  // namespace pievt::reflect
