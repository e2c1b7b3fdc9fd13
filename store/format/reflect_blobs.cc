#include "store/format/reflect_blobs.h"

#include <algorithm>
#include <cstddef>

#include "store/format/reflect_bytes.h"
#include "store/format/reflect_check.h"

namespace pievt::reflect {
namespace {

constexpr std::size_t page_alignment = alignof(std::uint64_t);

bool member_is(const ObjectType& type, std::size_t index, std::string_view name, std::size_t offset,
               std::size_t size) {
  if (index >= type.fields.size()) return false;
  const Field& field = type.fields[index];
  const bool fits = field.type.base == Base::object ? size == sizeof(schema::Digest)
                                                    : size_of(field.type.base) == size;
  return field.name == name && field.offset == offset && fits;
}

// Structs cannot change, so a BlobRef lies as ours does or is somebody else's.
bool lies_as_ours(const Schema& schema, const ObjectType& type) {
  if (type.form != ObjectType::Form::structure || type.size != sizeof(schema::BlobRef) ||
      type.fields.size() != 5)
    return false;
  const Field& digest = type.fields[0];
  if (digest.type.base != Base::object) return false;
  const ObjectType& bytes = schema.objects()[index_of(digest.type)];
  return bytes.is_bytes() && bytes.size == sizeof(schema::Digest) &&
         member_is(type, 0, "digest", 0, sizeof(schema::Digest)) &&
         member_is(type, 1, "size", 32, 8) && member_is(type, 2, "key", 40, 4) &&
         member_is(type, 3, "kind", 44, 2) && member_is(type, 4, "reserved", 46, 2) &&
         type.fields[3].type.index >= 0 && type.fields[4].type.index < 0;
}

}  // namespace

BlobFinder::BlobFinder(const Schema& schema)
    : schema_(&schema), reaches_(schema.objects().size()), paths_(schema.objects().size()) {
  const auto types = schema.objects();
  std::size_t named = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i].short_name() != "BlobRef") continue;
    ++named;
    blob_ = static_cast<std::int32_t>(i);
    as_ours_ = lies_as_ours(schema, types[i]);
    reaches_[i] = true;
  }
  as_ours_ = as_ours_ && named == 1;
  // Tables may contain each other: asked again until nothing new is learned.
  for (bool learned = true; learned;) {
    learned = false;
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (reaches_[i]) continue;
      reaches_[i] =
          std::ranges::any_of(types[i].fields, [&](const Field& field) { return leads(field); });
      learned = learned || reaches_[i];
    }
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    for (const Field& field : types[i].fields)
      if (leads(field)) paths_[i].push_back(&field);
  }
}

std::size_t BlobFinder::index_of_type(const ObjectType& type) const {
  return static_cast<std::size_t>(&type - schema_->objects().data());
}

bool BlobFinder::reaches(const ObjectType& table) const {
  return reaches_[index_of_type(table)];
}

bool BlobFinder::leads(const Field& field) const {
  if (field.type.index < 0) return false;
  if (field.type.base == Base::union_value) {
    const EnumType& all = schema_->enums()[index_of(field.type)];
    return std::ranges::any_of(all.members, [&](const EnumMember& member) {
      return member.object >= 0 && reaches_[static_cast<std::size_t>(member.object)];
    });
  }
  const bool object = field.type.base == Base::object ||
                      ((field.type.base == Base::vector || field.type.base == Base::array) &&
                       field.type.element == Base::object);
  return object && reaches_[index_of(field.type)];
}

void BlobFinder::structure(std::size_t index, const std::uint8_t* at, std::string_view holder) {
  if (static_cast<std::int32_t>(index) == blob_) {
    schema::BlobRef stored;
    std::memcpy(&stored, at, sizeof(stored));
    found_.push_back(
        {holder, {stored.digest(), stored.size(), stored.key(), stored.kind(), std::uint16_t{0}}});
    return;
  }
  for (const Field* field : paths_[index]) {
    if (field->type.base == Base::array) {
      sequence(*field, at + field->offset, field->type.length);
    } else {
      structure(index_of(field->type), at + field->offset, field->name);
    }
  }
}

void BlobFinder::sequence(const Field& field, const std::uint8_t* at, std::size_t count) {
  const std::size_t index = index_of(field.type);
  const std::size_t step = inline_size(*schema_, Base::object, field.type);
  const bool tables = schema_->objects()[index].form == ObjectType::Form::table;
  for (std::size_t i = 0; i < count; ++i, at += step) {
    if (tables) {
      table(index, follow(at));
    } else {
      structure(index, at, field.name);
    }
  }
}

void BlobFinder::table(std::size_t index, const std::uint8_t* at) {
  const ObjectType& type = schema_->objects()[index];
  for (const Field* field : paths_[index]) {
    const std::uint8_t* const slot = as_table(at)->GetAddressOf(field->offset);
    if (slot == nullptr) continue;
    if (field->type.base == Base::vector) {
      const std::uint8_t* const vector = follow(slot);
      sequence(*field, vector + sizeof(std::uint32_t), load<std::uint32_t>(vector));
    } else if (field->type.base == Base::union_value) {
      const ObjectType* const behind = table_behind(*schema_, type.fields[field->id - 1u], at);
      if (behind != nullptr) table(index_of_type(*behind), follow(slot));
    } else if (schema_->objects()[index_of(field->type)].form == ObjectType::Form::table) {
      table(index_of(field->type), follow(slot));
    } else {
      structure(index_of(field->type), slot, field->name);
    }
  }
}

Result<std::span<const BlobFinder::Found>> BlobFinder::find(std::span<const std::byte> body) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(body.data()) % page_alignment == 0;
  const bool plain =
      aligned && body.size() < FLATBUFFERS_MAX_BUFFER_SIZE && (as_ours_ || blob_ < 0);
  if (!plain) return find_slowly(body);
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(body.data()),
                                            body.size());
  PIEVT_TRY(check_root(*schema_, bytes));
  found_.clear();
  table(index_of_type(schema_->root()), follow(bytes.data()));
  return std::span<const Found>(found_);
}

Result<std::span<const BlobFinder::Found>> BlobFinder::find_slowly(
    std::span<const std::byte> body) {
  const std::vector<FoundBlob> all = PIEVT_TRY(blobs_of(*schema_, body));
  found_.clear();
  for (const FoundBlob& blob : all) {
    found_.push_back({*names_.insert(blob.field).first, blob.ref});
  }
  return std::span<const Found>(found_);
}

}  // namespace pievt::reflect
