#include "store/format/reflect_slim.h"

#include <algorithm>

#include "flatbuffers/reflection_generated.h"

namespace pievt::reflect {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// Whether a type's index leads to an object, or to an enum.
bool leads_to_object(const Type& type) {
  return type.base == Base::object || type.element == Base::object;
}

class Slimmer {
 public:
  Slimmer(const Schema& schema, const std::set<std::int64_t>& tags)
      : schema_(schema),
        tags_(tags),
        objects_(schema.objects().size(), -1),
        enums_(schema.enums().size(), -1) {}

  std::vector<std::byte> write() {
    need_object(static_cast<std::size_t>(&schema_.root() - schema_.objects().data()));
    number(objects_);
    number(enums_);
    std::vector<Offset<reflection::Object>> objects;
    Offset<reflection::Object> root;
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      if (objects_[i] < 0) continue;
      objects.push_back(object(schema_.objects()[i]));
      if (&schema_.objects()[i] == &schema_.root()) root = objects.back();
    }
    std::vector<Offset<reflection::Enum>> enums;
    for (std::size_t i = 0; i < enums_.size(); ++i)
      if (enums_[i] >= 0) enums.push_back(enumeration(schema_.enums()[i]));
    const auto object_list = out_.CreateVector(objects);
    const auto enum_list = out_.CreateVector(enums);
    const auto identifier = out_.CreateString(std::string(schema_.file_identifier()));
    reflection::FinishSchemaBuffer(
        out_, reflection::CreateSchema(out_, object_list, enum_list, identifier, 0, root));
    const auto* bytes = reinterpret_cast<const std::byte*>(out_.GetBufferPointer());
    return {bytes, bytes + out_.GetSize()};
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

  // What is needed is 0 until here; its new place afterwards.
  static void number(std::vector<std::int32_t>& places) {
    std::int32_t next = 0;
    for (std::int32_t& place : places)
      if (place >= 0) place = next++;
  }

  Offset<reflection::Type> type(const Type& type) {
    std::int32_t index = -1;
    if (type.index >= 0)
      index = (leads_to_object(type) ? objects_ : enums_)[static_cast<std::size_t>(type.index)];
    return reflection::CreateType(out_, static_cast<reflection::BaseType>(type.base),
                                  static_cast<reflection::BaseType>(type.element), index,
                                  type.length);
  }

  Offset<reflection::Object> object(const ObjectType& object) {
    // The library finds fields by name and wants them sorted so.
    std::vector<const Field*> sorted;
    for (const Field& field : object.fields) sorted.push_back(&field);
    std::ranges::sort(sorted, {}, &Field::name);
    std::vector<Offset<reflection::Field>> fields;
    for (const Field* field : sorted) {
      const auto name = out_.CreateSharedString(field->name);
      const auto kind = type(field->type);
      fields.push_back(reflection::CreateField(
          out_, name, kind, field->id, field->offset, field->default_integer, field->default_real,
          field->life == Field::Life::deprecated, field->presence == Field::Presence::required,
          false, 0, 0, field->presence == Field::Presence::optional));
    }
    const bool is_struct = object.form == ObjectType::Form::structure;
    const auto name = out_.CreateString(object.name);
    const auto list = out_.CreateVector(fields);
    return reflection::CreateObject(out_, name, list, is_struct,
                                    is_struct ? static_cast<std::int32_t>(object.align) : 0,
                                    is_struct ? static_cast<std::int32_t>(object.size) : 0);
  }

  Offset<reflection::Enum> enumeration(const EnumType& type) {
    std::vector<Offset<reflection::EnumVal>> values;
    for (const EnumMember& member : type.members) {
      if (!is_kept(type, member)) continue;
      const auto name = out_.CreateSharedString(member.name);
      Offset<reflection::Type> table;
      if (type.form == EnumType::Form::tagged_union)
        table = this->type({.base = member.object >= 0 ? Base::object : Base::none,
                            .element = Base::none,
                            .length = 0,
                            .index = member.object});
      values.push_back(reflection::CreateEnumVal(out_, name, member.number, table));
    }
    const bool is_union = type.form == EnumType::Form::tagged_union;
    const auto name = out_.CreateString(type.name);
    const auto list = out_.CreateVector(values);
    const auto underlying = this->type({.base = type.underlying});
    return reflection::CreateEnum(out_, name, list, is_union, underlying);
  }

  const Schema& schema_;
  const std::set<std::int64_t>& tags_;
  std::vector<std::int32_t> objects_, enums_;  ///< -1: not needed
  FlatBufferBuilder out_;
};

}  // namespace

std::vector<std::byte> slim_schema(const Schema& schema, const std::set<std::int64_t>& tags) {
  return Slimmer(schema, tags).write();
}

}  // namespace pievt::reflect
