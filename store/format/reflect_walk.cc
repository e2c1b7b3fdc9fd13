// Two passes over a body: reflect_check proves that every offset stays inside, then the tour reads
// without asking again.
#include "store/format/reflect_walk.h"

#include <bit>
#include <cstring>
#include <functional>
#include <vector>

#include <fmt/format.h>

#include "store/format/reflect_bytes.h"
#include "store/format/reflect_check.h"

namespace pievt::reflect {
namespace {

Value read_scalar(Base base, const std::uint8_t* at) {
  switch (base) {
    case Base::boolean:
      return load<std::uint8_t>(at) != 0;
    case Base::int8:
      return std::int64_t{load<std::int8_t>(at)};
    case Base::int16:
      return std::int64_t{load<std::int16_t>(at)};
    case Base::int32:
      return std::int64_t{load<std::int32_t>(at)};
    case Base::int64:
      return load<std::int64_t>(at);
    case Base::uint16:
      return std::uint64_t{load<std::uint16_t>(at)};
    case Base::uint32:
      return std::uint64_t{load<std::uint32_t>(at)};
    case Base::uint64:
      return load<std::uint64_t>(at);
    case Base::float32:
      return double{load<float>(at)};
    case Base::float64:
      return load<double>(at);
    default:
      return std::uint64_t{load<std::uint8_t>(at)};
  }
}

Value default_of(const Field& field) {
  switch (field.type.base) {
    case Base::boolean:
      return field.default_integer != 0;
    case Base::float32:
    case Base::float64:
      return field.default_real;
    case Base::int8:
    case Base::int16:
    case Base::int32:
    case Base::int64:
      return field.default_integer;
    default:
      return static_cast<std::uint64_t>(field.default_integer);
  }
}

bool is_default(const Value& value, const Field& field) {
  const Value usual = default_of(field);
  if (value.index() != usual.index()) return false;
  if (const bool* flag = std::get_if<bool>(&value)) return *flag == std::get<bool>(usual);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    return *number == std::get<std::uint64_t>(usual);
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return *number == std::get<std::int64_t>(usual);
  }
  // Bit for bit, so that -0 and NaN are told where the default is 0.
  const auto* real = std::get_if<double>(&value);
  return real != nullptr && std::bit_cast<std::uint64_t>(*real) ==
                                std::bit_cast<std::uint64_t>(std::get<double>(usual));
}

// Reads a proven body.
class Tour {
 public:
  Tour(const Schema& schema, Visitor& visitor, Defaults defaults)
      : schema_(schema), visitor_(visitor), defaults_(defaults) {}

  void object(const ObjectType& type, const std::uint8_t* at) {
    if (type.form == ObjectType::Form::table) return table(type, at);
    structure(type, at);
  }

 private:
  void table(const ObjectType& type, const std::uint8_t* at) {
    visitor_.begin_object(type);
    for (const Field& field : type.fields) {
      const std::uint8_t* const slot = as_table(at)->GetAddressOf(field.offset);
      if (is_scalar(field.type.base)) {
        scalar_field(field, slot);
      } else if (slot != nullptr) {
        visitor_.field(field);
        if (field.type.base == Base::vector) {
          vector(field.type, follow(slot));
        } else if (field.type.base == Base::union_value) {
          union_value(type.fields[field.id - 1u], at, slot);
        } else {
          one(field.type.base, field.type, slot);
        }
      }
    }
    visitor_.end_object();
  }

  void scalar_field(const Field& field, const std::uint8_t* slot) {
    if (slot == nullptr &&
        (field.presence == Field::Presence::optional || field.life == Field::Life::deprecated)) {
      return;
    }
    const Value value = slot == nullptr ? default_of(field) : read_scalar(field.type.base, slot);
    if (defaults_ == Defaults::hidden && field.presence != Field::Presence::optional &&
        is_default(value, field)) {
      return;
    }
    visitor_.field(field);
    visitor_.value(named(value, field.type));
  }

  void union_value(const Field& tag_field, const std::uint8_t* table_at, const std::uint8_t* slot) {
    const ObjectType* const member = table_behind(schema_, tag_field, table_at);
    if (member == nullptr) return visitor_.value(Opaque{});
    table(*member, follow(slot));
  }

  void structure(const ObjectType& type, const std::uint8_t* at) {
    if (type.is_bytes()) return bytes(at, type.fields[0].type.length);
    visitor_.begin_object(type);
    for (const Field& field : type.fields) {
      visitor_.field(field);
      const std::uint8_t* const member = at + field.offset;
      if (field.type.base == Base::array) {
        sequence(field.type, member, field.type.length);
      } else {
        one(field.type.base, field.type, member);
      }
    }
    visitor_.end_object();
  }

  void vector(const Type& type, const std::uint8_t* at) {
    sequence(type, at + sizeof(std::uint32_t), load<std::uint32_t>(at));
  }

  void sequence(const Type& type, const std::uint8_t* at, std::size_t count) {
    if (type.element == Base::uint8 && type.index == -1) return bytes(at, count);
    const std::size_t step = inline_size(schema_, type.element, type);
    visitor_.begin_array(count);
    for (std::size_t i = 0; i < count; ++i, at += step) one(type.element, type, at);
    visitor_.end_array();
  }

  void one(Base base, const Type& type, const std::uint8_t* at) {
    if (base == Base::string) {
      const std::uint8_t* const string = follow(at);
      visitor_.value(std::string_view(reinterpret_cast<const char*>(string) + sizeof(std::uint32_t),
                                      load<std::uint32_t>(string)));
    } else if (base == Base::object) {
      const ObjectType& inner = schema_.objects()[index_of(type)];
      object(inner, inner.form == ObjectType::Form::table ? follow(at) : at);
    } else {
      visitor_.value(named(read_scalar(base, at), type));
    }
  }

  void bytes(const std::uint8_t* at, std::size_t count) {
    visitor_.value(Bytes{std::as_bytes(std::span(at, count))});
  }

  // Gives a number its name where its type is an enum.
  Value named(const Value& value, const Type& type) const {
    if (type.index < 0) return value;
    const EnumType& kind = schema_.enums()[index_of(type)];
    std::int64_t number = 0;
    if (const auto* plain = std::get_if<std::uint64_t>(&value)) {
      number = static_cast<std::int64_t>(*plain);
    } else if (const auto* sign = std::get_if<std::int64_t>(&value)) {
      number = *sign;
    } else {
      return value;
    }
    const EnumMember* const member = kind.find(number);
    return EnumValue{&kind, number, member == nullptr ? std::string_view() : member->name};
  }

  const Schema& schema_;
  Visitor& visitor_;
  Defaults defaults_;
};

constexpr std::size_t alignment = alignof(std::uint64_t);

// The body where FlatBuffers can read it in place: itself, or a copy where it lies crooked (values
// that come out of RocksDB may start at any address).
class Aligned {
 public:
  explicit Aligned(std::span<const std::byte> body) : body_(body) {
    if (reinterpret_cast<std::uintptr_t>(body.data()) % alignment == 0) return;
    copy_.resize(body.size() / sizeof(std::uint64_t) + 1);
    if (!body.empty()) std::memcpy(copy_.data(), body.data(), body.size());
    body_ = std::as_bytes(std::span(copy_)).first(body.size());
  }
  std::span<const std::uint8_t> bytes() const {
    return {reinterpret_cast<const std::uint8_t*>(body_.data()), body_.size()};
  }

 private:
  std::vector<std::uint64_t> copy_;
  std::span<const std::byte> body_;
};

Status check_size(std::span<const std::byte> body) {
  if (body.size() < FLATBUFFERS_MAX_BUFFER_SIZE) return {};
  return Error{Errc::corrupt,
               fmt::format("body of {} bytes: larger than any FlatBuffer", body.size())};
}

}  // namespace

Status walk(const Schema& schema, std::span<const std::byte> body, Visitor& visitor,
            Defaults defaults) {
  PIEVT_TRY(check_size(body));
  const Aligned aligned(body);
  PIEVT_TRY(check_root(schema, aligned.bytes()));
  Tour(schema, visitor, defaults).object(schema.root(), follow(aligned.bytes().data()));
  return {};
}

Status walk_object(const Schema& schema, const ObjectType& type, std::span<const std::byte> body,
                   const void* object, Visitor& visitor, Defaults defaults) {
  PIEVT_TRY(check_size(body));
  const auto* const wanted = static_cast<const std::byte*>(object);
  if (std::less<>{}(wanted, body.data()) || !std::less<>{}(wanted, body.data() + body.size())) {
    return Error{Errc::corrupt, fmt::format("body of {} bytes: the {} to show is not in it",
                                            body.size(), type.name)};
  }
  const Aligned aligned(body);
  const std::uint8_t* const at = aligned.bytes().data() + (wanted - body.data());
  PIEVT_TRY(check_object(schema, type, aligned.bytes(), at));
  Tour(schema, visitor, defaults).object(type, at);
  return {};
}

}  // namespace pievt::reflect
