// A schema as data: what tables, structs, enums and events exist, under which names and numbers.
//
// A log outlives the program that wrote it, so the shape of an event must be readable at run time:
// the writer stores its binary schema (`.bfbs`) in the log, and whoever reads it later, older or
// newer, decodes the bodies with that schema and not with its own. JSON, diff, the lock file and
// docs/events.md all come from here; no other code knows how an event is laid out except the
// generated headers.
//
// The binary schema is translated once into the plain values below, fields sorted by id and every
// cross reference checked, instead of being read through FlatBuffers' reflection each time. That
// has three reasons: an event becomes JSON in a microsecond; the reflection verifier of 2.0.8 reads
// out of bounds on union tags it does not know (pull requests 9122 and 9220 of google/flatbuffers)
// and is not used at all; and no other file needs a FlatBuffers reflection header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"

namespace pievt::reflect {

/// What a field or an element is, in the numbering of FlatBuffers' `BaseType`.
enum class Base : std::uint8_t {
  none = 0,
  union_tag = 1,
  boolean = 2,
  int8 = 3,
  uint8 = 4,
  int16 = 5,
  uint16 = 6,
  int32 = 7,
  uint32 = 8,
  int64 = 9,
  uint64 = 10,
  float32 = 11,
  float64 = 12,
  string = 13,
  vector = 14,
  object = 15,
  union_value = 16,
  array = 17,  ///< of fixed length; only in structs
};

/// True for what is stored in place as one number: tags, booleans, integers, floats.
bool is_scalar(Base base);

/// Bytes of a scalar; 4 for what is stored as an offset; 0 for arrays and none.
std::size_t size_of(Base base);

struct Type {
  Base base = Base::none;
  Base element = Base::none;  ///< of a vector or an array
  std::uint16_t length = 0;   ///< of an array
  /// Position in `Schema::objects` (object) or `Schema::enums` (union, or a number that has names),
  /// of the element where it is a vector or an array; -1: plain.
  std::int32_t index = -1;
};

struct Field {
  std::string name;
  std::string comment;  ///< the `///` lines, joined by blanks
  std::uint16_t id = 0;
  /// In a table: the field's place in the vtable. In a struct: its place in the struct.
  std::uint16_t offset = 0;
  Type type;
  std::int64_t default_integer = 0;  ///< an unsigned default keeps its bits
  double default_real = 0;
  enum class Presence : std::uint8_t { normal, required, optional } presence = Presence::normal;
  enum class Life : std::uint8_t { current, deprecated } life = Life::current;
};

/// A table or a struct.
struct ObjectType {
  enum class Form : std::uint8_t { table, structure };

  std::string name;  ///< with its namespace: `pievt.schema.RunPlanned`
  std::string comment;
  std::string file;  ///< stem of the .fbs file that declares it; empty in schemas that do not say
  Form form = Form::table;
  std::size_t size = 0;       ///< of a struct, in bytes
  std::size_t align = 1;      ///< of a struct, in bytes
  std::vector<Field> fields;  ///< in the order of their ids

  /// The name without its namespace.
  std::string_view short_name() const;
  /// The field called `field_name`, or nullptr.
  const Field* find(std::string_view field_name) const;
  /// True for a struct that is nothing but an array of bytes, e.g. Digest. Shown in hexadecimal.
  bool is_bytes() const;
};

struct EnumMember {
  std::string name;
  std::string comment;
  std::int64_t number = 0;   ///< a union's member: its tag
  std::int32_t object = -1;  ///< a union's member: position in `Schema::objects`; -1: not a table
};

/// An enum or a union.
struct EnumType {
  enum class Form : std::uint8_t { enumeration, tagged_union };

  std::string name;
  std::string comment;
  Form form = Form::enumeration;
  Base underlying = Base::uint8;
  std::vector<EnumMember> members;  ///< in the order of their numbers

  std::string_view short_name() const;
  /// The member with that number, or nullptr: written by a program that knows more.
  const EnumMember* find(std::int64_t number) const;
};

/// A whole schema. A value: copying copies everything, nothing in it points elsewhere. Immutable
/// once made, so any number of threads may use one at once.
class Schema {
 public:
  /// Reads a binary schema. The bytes are copied out; they need not live on, nor be aligned.
  ///
  /// Failure: `corrupt` where the bytes are no binary schema, or one that contradicts itself;
  /// `unsupported` for vectors of unions, which we never write. Whatever the bytes are, a Schema
  /// that was returned can be walked safely.
  static Result<Schema> load(std::span<const std::byte> bfbs);

  /// The schemas this program was built with: of events (root Envelope), of the state of one run,
  /// of the list of all runs.
  static const Schema& embedded_events();
  static const Schema& embedded_run_state();
  static const Schema& embedded_run_list();

  std::span<const ObjectType> objects() const { return objects_; }
  std::span<const EnumType> enums() const { return enums_; }
  const ObjectType& root() const { return objects_[root_]; }
  /// Four characters, or empty.
  std::string_view file_identifier() const { return file_identifier_; }

  /// By full name, or by short name; nullptr where there is none.
  const ObjectType* find_object(std::string_view name) const;
  const EnumType* find_enum(std::string_view name) const;

  /// The union in the root table: the registry of events. nullptr where the root has none.
  const EnumType* root_union() const;
  /// The table behind a tag of a union of this schema; nullptr for an unknown tag and for NONE.
  const ObjectType* member_table(const EnumType& tagged_union, std::int64_t tag) const;

 private:
  Schema() = default;

  std::vector<ObjectType> objects_;
  std::vector<EnumType> enums_;
  std::size_t root_ = 0;
  std::string file_identifier_;
};

/// The embedded schemas as the bytes a log stores under their digest. They live as long as the
/// program.
std::span<const std::byte> embedded_events_bfbs();
std::span<const std::byte> embedded_run_state_bfbs();
std::span<const std::byte> embedded_run_list_bfbs();

}  // namespace pievt::reflect
