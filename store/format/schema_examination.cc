#include "store/format/schema_examination.h"

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace pievt::reflect {
namespace {

constexpr std::size_t vtable_head = 4;  // a vtable begins with its own size and the table's
constexpr std::size_t struct_align_max = 256;

// Checks that a translated schema does not contradict itself. What passes can be walked blindly.
class Examination {
 public:
  Examination(std::span<const ObjectType> objects, std::span<const EnumType> enums)
      : objects_(objects), enums_(enums), struct_seen_(objects.size(), Seen::no) {}

  Status run() {
    for (const EnumType& type : enums_) PIEVT_TRY(examine(type));
    for (const ObjectType& object : objects_) PIEVT_TRY(examine(object));
    for (std::size_t i = 0; i < objects_.size(); ++i) PIEVT_TRY(examine_nesting(i));
    return {};
  }

 private:
  enum class Seen : std::uint8_t { no, open, closed };

  bool is_object(std::int32_t index, ObjectType::Form form) const {
    return index >= 0 && static_cast<std::size_t>(index) < objects_.size() &&
           objects_[static_cast<std::size_t>(index)].form == form;
  }
  bool is_object(std::int32_t index) const {
    return is_object(index, ObjectType::Form::table) ||
           is_object(index, ObjectType::Form::structure);
  }
  bool is_enum(std::int32_t index, EnumType::Form form) const {
    return index >= 0 && static_cast<std::size_t>(index) < enums_.size() &&
           enums_[static_cast<std::size_t>(index)].form == form;
  }

  Status examine(const EnumType& type) const {
    if (!is_scalar(type.underlying) || type.underlying >= Base::float32) {
      return broken_schema(type.name, "is not made of integers");
    }
    for (const EnumMember& member : type.members) {
      if (member.object != -1 && !is_object(member.object)) {
        return broken_schema(type.name, "names a table that is not there");
      }
    }
    return {};
  }

  // One number or one object, alone or as an element.
  bool is_sound(Base base, std::int32_t index) const {
    if (base == Base::object) return is_object(index);
    if (base == Base::union_tag) return is_enum(index, EnumType::Form::tagged_union);
    if (is_scalar(base)) return index == -1 || is_enum(index, EnumType::Form::enumeration);
    return base == Base::string && index == -1;
  }

  Status examine(const ObjectType& object) const {
    const bool is_table = object.form == ObjectType::Form::table;
    if (!is_table && (object.size == 0 || !std::has_single_bit(object.align) ||
                      object.align > struct_align_max)) {
      return broken_schema(object.name, "has an impossible size");
    }
    for (std::size_t i = 0; i < object.fields.size(); ++i) {
      const Field& field = object.fields[i];
      if (field.id != i) return broken_schema(object.name, "has gaps in its ids");
      PIEVT_TRY(is_table ? examine_in_table(object, field) : examine_in_struct(object, field));
    }
    return {};
  }

  Status examine_in_table(const ObjectType& table, const Field& field) const {
    const std::string where = table.name + "." + field.name;
    if (field.offset != vtable_head + 2 * std::size_t{field.id}) {
      return broken_schema(where, "is not where its id says");
    }
    const Type& type = field.type;
    if (type.base == Base::vector) {
      if (type.element == Base::union_tag || type.element == Base::union_value) {
        return Error{Errc::unsupported,
                     fmt::format("binary schema: {}: vectors of unions cannot be read", where)};
      }
      if (!is_sound(type.element, type.index))
        return broken_schema(where, "is a vector of nothing known");
      return {};
    }
    if (type.base == Base::union_value) {
      const Field* const tag = field.id == 0 ? nullptr : &table.fields[field.id - 1u];
      if (tag == nullptr || tag->type.base != Base::union_tag || tag->type.index != type.index ||
          !is_enum(type.index, EnumType::Form::tagged_union)) {
        return broken_schema(where, "is a union without its tag");
      }
      return {};
    }
    if (!is_sound(type.base, type.index)) return broken_schema(where, "has no known type");
    return {};
  }

  Status examine_in_struct(const ObjectType& owner, const Field& field) const {
    const std::string where = owner.name + "." + field.name;
    const Type& type = field.type;
    const bool is_array = type.base == Base::array;
    const Base base = is_array ? type.element : type.base;
    const bool is_inner = base == Base::object;
    if (!is_sound(base, type.index) || base == Base::string || base == Base::union_tag ||
        (is_inner && !is_object(type.index, ObjectType::Form::structure))) {
      return broken_schema(where, "cannot be part of a struct");
    }
    const std::size_t one =
        is_inner ? objects_[static_cast<std::size_t>(type.index)].size : size_of(base);
    const std::size_t all = is_array ? one * type.length : one;
    if (field.offset > owner.size || all > owner.size - field.offset) {
      return broken_schema(where, "reaches beyond its struct");
    }
    return {};
  }

  // A struct that contains itself would be walked for ever.
  Status examine_nesting(std::size_t index) {
    const ObjectType& object = objects_[index];
    if (object.form != ObjectType::Form::structure || struct_seen_[index] == Seen::closed) {
      return {};
    }
    if (struct_seen_[index] == Seen::open) return broken_schema(object.name, "contains itself");
    struct_seen_[index] = Seen::open;
    for (const Field& field : object.fields) {
      const Base base = field.type.base == Base::array ? field.type.element : field.type.base;
      if (base != Base::object) continue;
      PIEVT_TRY(examine_nesting(static_cast<std::size_t>(field.type.index)));
    }
    struct_seen_[index] = Seen::closed;
    return {};
  }

  std::span<const ObjectType> objects_;
  std::span<const EnumType> enums_;
  std::vector<Seen> struct_seen_;
};

}  // namespace

Status examine_schema(std::span<const ObjectType> objects, std::span<const EnumType> enums) {
  return Examination(objects, enums).run();
}

Error broken_schema(std::string_view where, std::string_view what) {
  return {Errc::corrupt, fmt::format("binary schema: {}: {}", where, what)};
}

}  // namespace pievt::reflect
