// Walks a FlatBuffer with nothing but its schema and tells a visitor what is in it, typed. JSON,
// diff, exporters and the web page are visitors; none of them knows a single event by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "pievt/result.h"
#include "store/format/reflect.h"

namespace pievt::reflect {

/// The value of an enum, or the tag of a union.
struct EnumValue {
  const EnumType* type;
  std::int64_t number;
  std::string_view name;  ///< empty where the schema has no name for the number
};

/// Raw bytes, lowest first: a Digest or another struct that is nothing but bytes, or a `[ubyte]`.
struct Bytes {
  std::span<const std::byte> bytes;
};

/// Something is there that the schema cannot explain: the payload behind an unknown tag.
struct Opaque {};

/// One leaf. Strings are as they were stored, which need not be valid UTF-8.
using Value = std::variant<Opaque, bool, std::uint64_t, std::int64_t, double, std::string_view,
                           EnumValue, Bytes>;

/// What a walk tells, in this order: an object is `begin_object`, then for each field `field` and
/// its value, then `end_object`; an array is `begin_array`, the values, `end_array`. References and
/// views are good until the call returns.
class Visitor {
 public:
  Visitor() = default;
  Visitor(const Visitor&) = default;
  Visitor& operator=(const Visitor&) = default;
  virtual ~Visitor() = default;

  virtual void begin_object(const ObjectType& type) = 0;
  virtual void end_object() = 0;
  virtual void begin_array(std::size_t size) = 0;
  virtual void end_array() = 0;
  virtual void field(const Field& field) = 0;
  virtual void value(const Value& value) = 0;
};

/// Whether numbers, booleans and enums that equal their default are told. Members of structs are
/// always told.
enum class Defaults : std::uint8_t { shown, hidden };

/// Walks the FlatBuffer in `body`, whose root is the schema's root table. Fields come in the order
/// of their ids. Strings, tables, vectors, structs and optional numbers that are not there are left
/// out, and so are deprecated fields that nobody set. The payload behind a tag that the schema does
/// not know is told as Opaque; its tag as an EnumValue without a name.
///
/// The whole body is checked before the first word is told: an error is `corrupt`, names the field,
/// and the visitor has heard nothing. So any bytes are safe here, at any address. That a body
/// passes says little about whether it is what was written, though: most single bit flips pass too.
/// Compare its checksum first.
Status walk(const Schema& schema, std::span<const std::byte> body, Visitor& visitor,
            Defaults defaults = Defaults::shown);

/// The same for one table or struct inside `body`: `object` points to it (as generated accessors
/// do) and is of `type`, which belongs to `schema`. Only what hangs below it is checked and told.
/// A pointer that does not point into `body` is `corrupt`.
Status walk_object(const Schema& schema, const ObjectType& type, std::span<const std::byte> body,
                   const void* object, Visitor& visitor, Defaults defaults = Defaults::shown);

}  // namespace pievt::reflect
