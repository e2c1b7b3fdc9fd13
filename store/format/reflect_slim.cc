#include "store/format/reflect_slim.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "flatbuffers/reflection_generated.h"
#include "store/format/schema_examination.h"
#include "store/format/varint.h"

namespace pievt::reflect {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr std::uint64_t flag_required = 1, flag_optional = 2, flag_deprecated = 4, flag_real = 8;

// Where a table's field has its place in the vtable.
std::uint64_t offset_of(std::uint64_t id) {
  return 4 + 2 * id;
}

// Whether a type's index leads to an object, or to an enum.
bool leads_to_object(const Type& type) {
  return type.base == Base::object || type.element == Base::object;
}

// Writes what is needed, with new places.
class Slimmer {
 public:
  Slimmer(const Schema& schema, const std::set<std::int64_t>& tags)
      : schema_(schema),
        tags_(tags),
        objects_(schema.objects().size(), -1),
        enums_(schema.enums().size(), -1) {}

  std::vector<std::byte> write() {
    const auto root = static_cast<std::size_t>(&schema_.root() - schema_.objects().data());
    need_object(root);
    const std::uint64_t objects = number(objects_), enums = number(enums_);
    varint::put(out_, schema_.file_identifier());
    varint::put(out_, static_cast<std::uint64_t>(objects_[root]));
    varint::put(out_, objects);
    for (std::size_t i = 0; i < objects_.size(); ++i)
      if (objects_[i] >= 0) object(schema_.objects()[i]);
    varint::put(out_, enums);
    for (std::size_t i = 0; i < enums_.size(); ++i)
      if (enums_[i] >= 0) enumeration(schema_.enums()[i]);
    return std::move(out_);
  }

 private:
  bool is_kept(const EnumType& type, const EnumMember& member) const {
    return &type != schema_.root_union() || member.number == 0 || tags_.contains(member.number);
  }

  void need(const Type& type) {
    if (type.index < 0) return;
    const auto index = static_cast<std::size_t>(type.index);
    if (leads_to_object(type)) {
      need_object(index);
    } else {
      need_enum(index);
    }
  }

  void need_object(std::size_t index) {
    if (objects_[index] >= 0) return;
    objects_[index] = 0;
    for (const Field& field : schema_.objects()[index].fields) need(field.type);
  }

  void need_enum(std::size_t index) {
    if (enums_[index] >= 0) return;
    enums_[index] = 0;
    const EnumType& type = schema_.enums()[index];
    for (const EnumMember& member : type.members)
      if (member.object >= 0 && is_kept(type, member))
        need_object(static_cast<std::size_t>(member.object));
  }

  // What is needed is 0 until here; its new place afterwards. How many there are.
  static std::uint64_t number(std::vector<std::int32_t>& places) {
    std::int32_t next = 0;
    for (std::int32_t& place : places)
      if (place >= 0) place = next++;
    return static_cast<std::uint64_t>(next);
  }

  // Mostly 0, and so nearly nothing when it is packed.
  void difference(std::uint64_t value, std::uint64_t expected) {
    varint::put(out_, varint::folded(value - expected));
  }

  // 0: leads nowhere.
  void place(std::int32_t index, const std::vector<std::int32_t>& places) {
    varint::put(
        out_, index < 0 ? std::uint64_t{0}
                        : static_cast<std::uint64_t>(places[static_cast<std::size_t>(index)] + 1));
  }

  void object(const ObjectType& object) {
    varint::put(out_, object.name);
    // A table has no size.
    varint::put(out_, object.form == ObjectType::Form::structure ? object.size : std::uint64_t{0});
    varint::put(out_, object.align);
    varint::put(out_, object.fields.size());
    std::uint64_t expected = 0;
    for (const Field& field : object.fields) {
      varint::put(out_, field.name);
      difference(field.id, expected++);
      difference(field.offset, offset_of(field.id));
      varint::put(out_, static_cast<std::uint64_t>(field.type.base));
      varint::put(out_, static_cast<std::uint64_t>(field.type.element));
      varint::put(out_, field.type.length);
      place(field.type.index, leads_to_object(field.type) ? objects_ : enums_);
      const auto real = std::bit_cast<std::uint64_t>(field.default_real);
      varint::put(out_, (field.presence == Field::Presence::required ? flag_required : 0) |
                            (field.presence == Field::Presence::optional ? flag_optional : 0) |
                            (field.life == Field::Life::deprecated ? flag_deprecated : 0) |
                            (real != 0 ? flag_real : 0));
      varint::put(out_, varint::folded(static_cast<std::uint64_t>(field.default_integer)));
      if (real != 0) varint::put(out_, real);
    }
  }

  void enumeration(const EnumType& type) {
    varint::put(out_, type.name);
    varint::put(out_, type.form == EnumType::Form::tagged_union ? std::uint64_t{1} : 0);
    varint::put(out_, static_cast<std::uint64_t>(type.underlying));
    std::vector<const EnumMember*> kept;
    for (const EnumMember& member : type.members)
      if (is_kept(type, member)) kept.push_back(&member);
    varint::put(out_, kept.size());
    std::uint64_t expected = 0;
    for (const EnumMember* member : kept) {
      varint::put(out_, member->name);
      difference(static_cast<std::uint64_t>(member->number), expected++);
      place(member->object, objects_);
    }
  }

  const Schema& schema_;
  const std::set<std::int64_t>& tags_;
  std::vector<std::int32_t> objects_, enums_;  ///< -1: not needed
  std::vector<std::byte> out_;
};

// From the lists to what FlatBuffers' own tools read.
class Builder {
 public:
  explicit Builder(std::span<const std::byte> slim) : from_(slim) {}

  Result<std::vector<std::byte>> build() {
    const std::string identifier = from_.text();
    const std::uint64_t root = from_.number();
    std::vector<Offset<reflection::Object>> objects;
    for (std::size_t left = from_.count(); left > 0; --left) objects.push_back(object());
    std::vector<Offset<reflection::Enum>> enums;
    for (std::size_t left = from_.count(); left > 0; --left) enums.push_back(enumeration());
    if (from_.failed() || !from_.at_end() || bad_ || root >= objects.size())
      return broken_schema("its lists", "do not fit each other");
    const auto object_list = out_.CreateVector(objects);
    const auto enum_list = out_.CreateVector(enums);
    const auto name = out_.CreateString(identifier);
    reflection::FinishSchemaBuffer(
        out_, reflection::CreateSchema(out_, object_list, enum_list, name, 0, objects[root]));
    const auto* bytes = reinterpret_cast<const std::byte*>(out_.GetBufferPointer());
    return std::vector<std::byte>(bytes, bytes + out_.GetSize());
  }

 private:
  // The library's enum must not hold a number that is none of its own.
  reflection::BaseType base() {
    const std::uint64_t value = from_.number();
    bad_ = bad_ || value > static_cast<std::uint64_t>(Base::array);
    return bad_ ? reflection::None : static_cast<reflection::BaseType>(value);
  }
  std::uint64_t difference(std::uint64_t expected) {
    return varint::unfolded(from_.number()) + expected;
  }
  template <class T>
  T narrow() {
    return narrow<T>(from_.number());
  }
  template <class T>
  T narrow(std::uint64_t value) {
    bad_ = bad_ || value > static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    return bad_ ? T{0} : static_cast<T>(value);
  }
  std::int32_t place() { return narrow<std::int32_t>() - 1; }

  struct NamedField {
    std::string name;
    Offset<reflection::Field> offset;
  };

  NamedField field(std::uint64_t expected) {
    std::string text = from_.text();
    const auto id = narrow<std::uint16_t>(difference(expected));
    const auto offset = narrow<std::uint16_t>(difference(offset_of(id)));
    const reflection::BaseType kind = base(), element = base();
    const auto length = narrow<std::uint16_t>();
    const std::int32_t index = place();
    const std::uint64_t flags = from_.number();
    const auto integer = static_cast<std::int64_t>(varint::unfolded(from_.number()));
    const std::uint64_t real = (flags & flag_real) != 0 ? from_.number() : 0;
    const auto name = out_.CreateSharedString(text);
    const auto type = reflection::CreateType(out_, kind, element, index, length);
    return {std::move(text), reflection::CreateField(
                                 out_, name, type, id, offset, integer, std::bit_cast<double>(real),
                                 (flags & flag_deprecated) != 0, (flags & flag_required) != 0,
                                 false, 0, 0, (flags & flag_optional) != 0)};
  }

  Offset<reflection::Object> object() {
    const auto name = out_.CreateString(from_.text());
    const auto size = narrow<std::int32_t>(), align = narrow<std::int32_t>();
    std::vector<NamedField> fields;
    const std::size_t count = from_.count();
    for (std::size_t i = 0; i < count; ++i) fields.push_back(field(i));
    // The library finds fields by name and wants them sorted so.
    std::ranges::sort(fields, {}, &NamedField::name);
    std::vector<Offset<reflection::Field>> sorted;
    for (const NamedField& made : fields) sorted.push_back(made.offset);
    const auto list = out_.CreateVector(sorted);
    return reflection::CreateObject(out_, name, list, size != 0, align, size);
  }

  Offset<reflection::Enum> enumeration() {
    const auto name = out_.CreateString(from_.text());
    const bool is_union = from_.number() != 0;
    const reflection::BaseType kind = base();
    std::vector<Offset<reflection::EnumVal>> values;
    const std::size_t count = from_.count();
    for (std::size_t i = 0; i < count; ++i) {
      const auto member = out_.CreateSharedString(from_.text());
      const auto number = static_cast<std::int64_t>(difference(i));
      const std::int32_t index = place();
      Offset<reflection::Type> table;
      if (is_union)
        table = reflection::CreateType(out_, index >= 0 ? reflection::Obj : reflection::None,
                                       reflection::None, index);
      values.push_back(reflection::CreateEnumVal(out_, member, number, table));
    }
    const auto list = out_.CreateVector(values);
    const auto underlying = reflection::CreateType(out_, kind);
    return reflection::CreateEnum(out_, name, list, is_union, underlying);
  }

  varint::Reader from_;
  FlatBufferBuilder out_;
  bool bad_ = false;
};

}  // namespace

std::vector<std::byte> slim_schema(const Schema& schema, const std::set<std::int64_t>& tags) {
  return Slimmer(schema, tags).write();
}

Result<std::vector<std::byte>> binary_schema(std::span<const std::byte> slim) {
  return Builder(slim).build();
}

}  // namespace pievt::reflect
