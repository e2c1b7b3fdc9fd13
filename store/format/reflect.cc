// Translates a binary schema into values. Every index, id and offset in it is examined once, so
// that no later code has to ask whether the schema makes sense.
#include "store/format/reflect.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "flatbuffers/reflection_generated.h"
#include "pievt/schema/envelope_bfbs_generated.h"
#include "pievt/schema/run_list_bfbs_generated.h"
#include "pievt/schema/run_state_bfbs_generated.h"
#include "store/format/schema_examination.h"

namespace pievt::reflect {
namespace {

static_assert(static_cast<int>(Base::union_tag) == reflection::UType);
static_assert(static_cast<int>(Base::boolean) == reflection::Bool);
static_assert(static_cast<int>(Base::uint64) == reflection::ULong);
static_assert(static_cast<int>(Base::string) == reflection::String);
static_assert(static_cast<int>(Base::object) == reflection::Obj);
static_assert(static_cast<int>(Base::array) == reflection::Array);

using Texts = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;

std::string text(const flatbuffers::String* string) {
  return string == nullptr ? std::string() : string->str();
}

// The tables of a vector; none where the vector is absent.
template <class T>
std::vector<const T*> items(const flatbuffers::Vector<flatbuffers::Offset<T>>* stored) {
  std::vector<const T*> found;
  if (stored == nullptr) return found;
  found.reserve(stored->size());
  for (const T* item : *stored) found.push_back(item);
  return found;
}

// The `///` lines of a declaration as one paragraph. flatc keeps the blank after the slashes.
std::string comment(const Texts* lines) {
  std::string paragraph;
  for (const flatbuffers::String* line : items(lines)) {
    std::string_view words = line->string_view();
    words.remove_prefix(std::min(words.find_first_not_of(' '), words.size()));
    if (!paragraph.empty() && !words.empty()) paragraph += ' ';
    paragraph += words;
  }
  return paragraph;
}

// "//../run.fbs" -> "run"
std::string stem(const flatbuffers::String* path) {
  std::string name = text(path);
  name.erase(0, name.find_last_of('/') + 1);
  return name.substr(0, name.find_last_of('.'));
}

std::string_view last_part(std::string_view name) {
  return name.substr(name.find_last_of('.') + 1);
}

// Read as the byte it is: the library's enum must not hold a number that is none of its own.
Base base_at(const reflection::Type* type, flatbuffers::voffset_t slot) {
  if (type == nullptr) return Base::none;
  const auto* const table = reinterpret_cast<const flatbuffers::Table*>(type);
  return static_cast<Base>(table->GetField<std::uint8_t>(slot, 0));
}

Type type_of(const reflection::Type* stored) {
  if (stored == nullptr) return {};
  return {.base = base_at(stored, reflection::Type::VT_BASE_TYPE),
          .element = base_at(stored, reflection::Type::VT_ELEMENT),
          .length = stored->fixed_length(),
          .index = stored->index()};
}

Field field_of(const reflection::Field& stored) {
  Field field;
  field.name = text(stored.name());
  field.comment = comment(stored.documentation());
  field.id = stored.id();
  field.offset = stored.offset();
  field.type = type_of(stored.type());
  field.default_integer = stored.default_integer();
  field.default_real = stored.default_real();
  // flatc calls strings and tables optional, too; here it means a number that may be null.
  if (stored.optional() && is_scalar(field.type.base)) field.presence = Field::Presence::optional;
  if (stored.required()) field.presence = Field::Presence::required;
  if (stored.deprecated()) field.life = Field::Life::deprecated;
  return field;
}

ObjectType object_of(const reflection::Object& stored) {
  ObjectType object;
  object.name = text(stored.name());
  object.comment = comment(stored.documentation());
  object.file = stem(stored.declaration_file());
  if (stored.is_struct()) {
    object.form = ObjectType::Form::structure;
    object.size = static_cast<std::size_t>(std::max(stored.bytesize(), 0));
    object.align = static_cast<std::size_t>(std::max(stored.minalign(), 0));
  }
  for (const reflection::Field* field : items(stored.fields())) {
    object.fields.push_back(field_of(*field));
  }
  std::ranges::sort(object.fields, {}, &Field::id);
  return object;
}

EnumType enum_of(const reflection::Enum& stored) {
  EnumType result;
  result.name = text(stored.name());
  result.comment = comment(stored.documentation());
  if (stored.is_union()) result.form = EnumType::Form::tagged_union;
  result.underlying = base_at(stored.underlying_type(), reflection::Type::VT_BASE_TYPE);
  for (const reflection::EnumVal* value : items(stored.values())) {
    EnumMember member{.name = text(value->name()),
                      .comment = comment(value->documentation()),
                      .number = value->value()};
    if (const reflection::Type* type = value->union_type();
        type != nullptr && base_at(type, reflection::Type::VT_BASE_TYPE) == Base::object) {
      member.object = type->index();
    }
    result.members.push_back(std::move(member));
  }
  std::ranges::sort(result.members, {}, &EnumMember::number);
  return result;
}

template <class Item>
const Item* find_by_name(std::span<const Item> items, std::string_view name) {
  const auto full = std::ranges::find(items, name, &Item::name);
  if (full != items.end()) return &*full;
  const auto brief = std::ranges::find(items, name, &Item::short_name);
  return brief == items.end() ? nullptr : &*brief;
}

// The schemas are compiled in, so that one does not load is a broken build.
Schema load_embedded(std::span<const std::byte> bfbs) {
  auto schema = Schema::load(bfbs);
  PIEVT_ASSERT(schema.ok());
  return std::move(schema).value();
}

}  // namespace

bool is_scalar(Base base) {
  return base >= Base::union_tag && base <= Base::float64;
}

std::size_t size_of(Base base) {
  constexpr std::array<std::size_t, 18> sizes = {0, 1, 1, 1, 1, 2, 2, 4, 4,
                                                 8, 8, 4, 8, 4, 4, 4, 4, 0};
  const auto index = static_cast<std::size_t>(base);
  return index < sizes.size() ? sizes[index] : 0;
}

std::string_view ObjectType::short_name() const {
  return last_part(name);
}

const Field* ObjectType::find(std::string_view field_name) const {
  const auto found = std::ranges::find(fields, field_name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

bool ObjectType::is_bytes() const {
  return form == Form::structure && fields.size() == 1 && fields[0].type.base == Base::array &&
         fields[0].type.element == Base::uint8 && fields[0].type.index == -1;
}

std::string_view EnumType::short_name() const {
  return last_part(name);
}

const EnumMember* EnumType::find(std::int64_t number) const {
  // Nearly every enum counts from 0 without gaps, so its number is its position.
  const auto position = static_cast<std::uint64_t>(number);
  if (position < members.size() && members[position].number == number) return &members[position];
  const auto found = std::ranges::lower_bound(members, number, {}, &EnumMember::number);
  return found != members.end() && found->number == number ? &*found : nullptr;
}

Result<Schema> Schema::load(std::span<const std::byte> bfbs) {
  // FlatBuffers reads in place and wants its numbers aligned; where these bytes lie is not known.
  std::vector<std::uint64_t> aligned(bfbs.size() / sizeof(std::uint64_t) + 1);
  if (!bfbs.empty()) std::memcpy(aligned.data(), bfbs.data(), bfbs.size());
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(aligned.data());

  flatbuffers::Verifier verifier(bytes, bfbs.size());
  if (!reflection::VerifySchemaBuffer(verifier)) {
    return broken_schema("its bytes", fmt::format("these {} bytes are not one", bfbs.size()));
  }
  const reflection::Schema& stored = *reflection::GetSchema(bytes);
  const reflection::Object* const stored_root = stored.root_table();
  if (stored_root == nullptr) return broken_schema("its root", "there is none");

  Schema schema;
  for (const reflection::Object* object : items(stored.objects())) {
    schema.objects_.push_back(object_of(*object));
  }
  for (const reflection::Enum* type : items(stored.enums()))
    schema.enums_.push_back(enum_of(*type));
  schema.file_identifier_ = text(stored.file_ident());
  if (!schema.file_identifier_.empty() && schema.file_identifier_.size() != 4) {
    return broken_schema("its file identifier", "is not four characters");
  }
  PIEVT_TRY(examine_schema(schema.objects_, schema.enums_));

  const std::string root_name = text(stored_root->name());
  const auto root = std::ranges::find(schema.objects_, root_name, &ObjectType::name);
  if (root == schema.objects_.end() || root->form != ObjectType::Form::table) {
    return broken_schema(root_name, "is the root and no table");
  }
  schema.root_ = static_cast<std::size_t>(root - schema.objects_.begin());
  return schema;
}

const ObjectType* Schema::find_object(std::string_view name) const {
  return find_by_name(objects(), name);
}

const EnumType* Schema::find_enum(std::string_view name) const {
  return find_by_name(enums(), name);
}

const EnumType* Schema::root_union() const {
  for (const Field& field : root().fields) {
    if (field.type.base == Base::union_value) {
      return &enums_[static_cast<std::size_t>(field.type.index)];
    }
  }
  return nullptr;
}

const ObjectType* Schema::member_table(const EnumType& tagged_union, std::int64_t tag) const {
  const EnumMember* const member = tagged_union.find(tag);
  if (member == nullptr || member->object < 0) return nullptr;
  const ObjectType& object = objects_[static_cast<std::size_t>(member->object)];
  return object.form == ObjectType::Form::table ? &object : nullptr;
}

std::span<const std::byte> embedded_events_bfbs() {
  using Embedded = schema::EnvelopeBinarySchema;
  return std::as_bytes(std::span(Embedded::data(), Embedded::size()));
}

std::span<const std::byte> embedded_run_state_bfbs() {
  using Embedded = state::RunStateBinarySchema;
  return std::as_bytes(std::span(Embedded::data(), Embedded::size()));
}

std::span<const std::byte> embedded_run_list_bfbs() {
  using Embedded = state::RunListBinarySchema;
  return std::as_bytes(std::span(Embedded::data(), Embedded::size()));
}

const Schema& Schema::embedded_events() {
  static const Schema schema = load_embedded(embedded_events_bfbs());
  return schema;
}

const Schema& Schema::embedded_run_state() {
  static const Schema schema = load_embedded(embedded_run_state_bfbs());
  return schema;
}

const Schema& Schema::embedded_run_list() {
  static const Schema schema = load_embedded(embedded_run_list_bfbs());
  return schema;
}

}  // namespace pievt::reflect
