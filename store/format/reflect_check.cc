#include "store/format/reflect_check.h"

#include <cstring>
#include <string>

#include <fmt/format.h>

#include "store/format/reflect_bytes.h"

namespace pievt::reflect {
namespace {

// Parts of a FlatBuffer may be shared, so a small hostile body can unfold into a huge document.
// Builders share strings now and then and nothing else; this many times its size no body unfolds.
constexpr std::size_t unfold_max = 1024;
constexpr std::size_t depth_max = 64;  // of tables in tables, as in FlatBuffers

class Proof {
 public:
  Proof(const Schema& schema, std::span<const std::uint8_t> body)
      : schema_(schema), body_(body), verifier_(body.data(), body.size(), options(body.size())) {}

  Status root() {
    const std::string_view identifier = schema_.file_identifier();
    constexpr std::size_t offset_size = sizeof(std::uint32_t);
    if (body_.size() < offset_size + identifier.size() ||
        std::memcmp(body_.data() + offset_size, identifier.data(), identifier.size()) != 0) {
      return Error{Errc::corrupt, fmt::format("body of {} bytes: does not begin as {} does",
                                              body_.size(), schema_.root().name)};
    }
    if (verifier_.VerifyOffset(std::size_t{0}) == 0 ||
        !table(schema_.root(), follow(body_.data()))) {
      return failure(schema_.root());
    }
    return {};
  }

  Status object(const ObjectType& type, const std::uint8_t* at) {
    const bool fits = type.form == ObjectType::Form::table
                          ? table(type, at)
                          : type.size <= body_.size() - position(at);
    if (!fits) return failure(type);
    return {};
  }

 private:
  static flatbuffers::Verifier::Options options(std::size_t size) {
    flatbuffers::Verifier::Options options;
    options.max_depth = depth_max;
    // A table takes at least the four bytes that lead to its vtable, and is never shared.
    options.max_tables = static_cast<flatbuffers::uoffset_t>(size / sizeof(std::uint32_t) + 1);
    return options;
  }

  std::size_t position(const std::uint8_t* at) const {
    return static_cast<std::size_t>(at - body_.data());
  }

  Error failure(const ObjectType& root) const {
    return {Errc::corrupt, fmt::format("body of {} bytes: is no {}: {} does not fit", body_.size(),
                                       root.name, where_.empty() ? "its root" : where_)};
  }

  // Only the innermost place is kept: it was noticed first.
  bool blame(const ObjectType& type, const Field& field) {
    if (where_.empty()) where_ = fmt::format("{}.{}", type.short_name(), field.name);
    return false;
  }

  bool table(const ObjectType& type, const std::uint8_t* at) {
    if (!verifier_.VerifyTableStart(at)) return false;
    for (const Field& field : type.fields) {
      if (!slot(type, field, at)) return blame(type, field);
    }
    return verifier_.EndTable();
  }

  bool slot(const ObjectType& owner, const Field& field, const std::uint8_t* table_at) {
    const std::uint8_t* const at = as_table(table_at)->GetAddressOf(field.offset);
    if (at == nullptr) return field.presence != Field::Presence::required;
    switch (field.type.base) {
      case Base::vector:
        return verifier_.VerifyOffset(position(at)) != 0 && vector(field.type, follow(at));
      case Base::union_value: {
        // The tag was proven just before: it is the field with the id before this one.
        const ObjectType* const member =
            table_behind(schema_, owner.fields[field.id - 1u], table_at);
        if (member == nullptr) return true;
        return verifier_.VerifyOffset(position(at)) != 0 && table(*member, follow(at));
      }
      default:
        return one(field.type.base, field.type, at);
    }
  }

  // A single value where it is stored.
  bool one(Base base, const Type& type, const std::uint8_t* at) {
    if (base == Base::string) {
      if (verifier_.VerifyOffset(position(at)) == 0) return false;
      const std::uint8_t* const string = follow(at);
      return verifier_.VerifyString(reinterpret_cast<const flatbuffers::String*>(string)) &&
             unfold(load<std::uint32_t>(string));
    }
    if (base == Base::object) {
      const ObjectType& object = schema_.objects()[index_of(type)];
      if (object.form == ObjectType::Form::table) {
        return verifier_.VerifyOffset(position(at)) != 0 && table(object, follow(at));
      }
      return verifier_.VerifyFieldStruct(at, 0, object.size, object.align) && unfold(object.size);
    }
    return verifier_.VerifyFieldStruct(at, 0, size_of(base), size_of(base));
  }

  bool vector(const Type& type, const std::uint8_t* at) {
    const std::size_t step = inline_size(schema_, type.element, type);
    if (!verifier_.VerifyVectorOrString(at, step)) return false;
    const std::size_t count = load<std::uint32_t>(at);
    if (!unfold(count * step)) return false;
    if (is_scalar(type.element)) return true;
    const std::uint8_t* element = at + sizeof(std::uint32_t);
    for (std::size_t i = 0; i < count; ++i, element += step) {
      if (!one(type.element, type, element)) return false;
    }
    return true;
  }

  bool unfold(std::size_t bytes) {
    unfolded_ += bytes;
    return unfolded_ <= body_.size() * unfold_max;
  }

  const Schema& schema_;
  std::span<const std::uint8_t> body_;
  flatbuffers::Verifier verifier_;
  std::size_t unfolded_ = 0;
  std::string where_;
};

}  // namespace

Status check_root(const Schema& schema, std::span<const std::uint8_t> body) {
  return Proof(schema, body).root();
}

Status check_object(const Schema& schema, const ObjectType& type,
                    std::span<const std::uint8_t> body, const std::uint8_t* object) {
  return Proof(schema, body).object(type, object);
}

}  // namespace pievt::reflect
