#include "store/format/reflect_json_table.h"

#include <functional>

#include <fmt/format.h>

#include "store/format/reflect_bytes.h"
#include "store/format/reflect_check.h"
#include "store/format/reflect_json.h"
#include "store/format/reflect_json_text.h"

namespace pievt::reflect {
namespace {

constexpr std::size_t body_alignment = alignof(std::uint64_t);

void append_unsigned(std::string& out, std::uint64_t number) {
  if (number <= exact_max) return append_number(out, number);
  out += '"';
  append_number(out, number);
  out += '"';
}

void append_signed(std::string& out, std::int64_t number) {
  constexpr auto most = static_cast<std::int64_t>(exact_max);
  if (number >= -most && number <= most) return append_number(out, number);
  out += '"';
  append_number(out, number);
  out += '"';
}

bool is_signed(Base base) {
  return base == Base::int8 || base == Base::int16 || base == Base::int32 || base == Base::int64;
}

std::int64_t load_signed(Base base, const std::uint8_t* at) {
  switch (base) {
    case Base::int8:
      return load<std::int8_t>(at);
    case Base::int16:
      return load<std::int16_t>(at);
    case Base::int32:
      return load<std::int32_t>(at);
    default:
      return load<std::int64_t>(at);
  }
}

std::uint64_t load_unsigned(Base base, const std::uint8_t* at) {
  switch (base) {
    case Base::uint16:
      return load<std::uint16_t>(at);
    case Base::uint32:
      return load<std::uint32_t>(at);
    case Base::uint64:
      return load<std::uint64_t>(at);
    default:
      return load<std::uint8_t>(at);
  }
}

}  // namespace

// Writes a proven body.
class JsonTable::Writing {
 public:
  Writing(const JsonTable& table, std::string& out) : table_(table), out_(out) {}

  void object(std::size_t index, const std::uint8_t* at) {
    const ObjectType& type = table_.schema_->objects()[index];
    if (type.form == ObjectType::Form::structure && type.is_bytes())
      return bytes(at, type.fields[0].type.length);
    out_ += '{';
    const std::size_t begin = out_.size();
    if (type.form == ObjectType::Form::table) {
      for (const Member& member : table_.objects_[index]) of_table(type, member, at);
    } else {
      for (const Member& member : table_.objects_[index]) of_structure(member, at);
    }
    // Every member begins with a comma; the first one's becomes nothing.
    if (out_.size() > begin) out_.erase(begin, 1);
    out_ += '}';
  }

  void scalar(Base base, const Type& type, const std::uint8_t* at) {
    if (base == Base::boolean) {
      out_ += load<std::uint8_t>(at) != 0 ? "true" : "false";
    } else if (base == Base::float32) {
      append_real(out_, double{load<float>(at)});
    } else if (base == Base::float64) {
      append_real(out_, load<double>(at));
    } else if (is_signed(base)) {
      whole(type, load_signed(base, at));
    } else {
      whole(type, load_unsigned(base, at));
    }
  }

  template <class Number>
  void whole(const Type& type, Number number) {
    if (type.index >= 0) return named(type, static_cast<std::int64_t>(number));
    if constexpr (std::is_signed_v<Number>) {
      append_signed(out_, number);
    } else {
      append_unsigned(out_, number);
    }
  }

 private:
  void of_table(const ObjectType& type, const Member& member, const std::uint8_t* at) {
    const Field& field = *member.field;
    const std::uint8_t* const slot = as_table(at)->GetAddressOf(field.offset);
    if (slot == nullptr) {
      out_ += member.absent;
      return;
    }
    out_ += member.name;
    if (field.type.base == Base::vector) {
      const std::uint8_t* const vector = follow(slot);
      sequence(field.type, vector + sizeof(std::uint32_t), load<std::uint32_t>(vector));
    } else if (field.type.base == Base::union_value) {
      const ObjectType* const behind =
          table_behind(*table_.schema_, type.fields[field.id - 1u], at);
      if (behind == nullptr) {
        out_ += "null";
      } else {
        object(static_cast<std::size_t>(behind - table_.schema_->objects().data()), follow(slot));
      }
    } else {
      one(field.type.base, field.type, slot);
    }
  }

  void of_structure(const Member& member, const std::uint8_t* at) {
    const Field& field = *member.field;
    out_ += member.name;
    if (field.type.base == Base::array) {
      sequence(field.type, at + field.offset, field.type.length);
    } else {
      one(field.type.base, field.type, at + field.offset);
    }
  }

  void sequence(const Type& type, const std::uint8_t* at, std::size_t count) {
    if (type.element == Base::uint8 && type.index == -1) return bytes(at, count);
    const std::size_t step = inline_size(*table_.schema_, type.element, type);
    out_ += '[';
    for (std::size_t i = 0; i < count; ++i, at += step) {
      if (i > 0) out_ += ',';
      one(type.element, type, at);
    }
    out_ += ']';
  }

  void one(Base base, const Type& type, const std::uint8_t* at) {
    if (base == Base::string) {
      const std::uint8_t* const string = follow(at);
      append_words(out_, {reinterpret_cast<const char*>(string) + sizeof(std::uint32_t),
                          load<std::uint32_t>(string)});
    } else if (base == Base::object) {
      const bool table = table_.schema_->objects()[index_of(type)].form == ObjectType::Form::table;
      object(index_of(type), table ? follow(at) : at);
    } else {
      scalar(base, type, at);
    }
  }

  void bytes(const std::uint8_t* at, std::size_t count) {
    out_ += '"';
    append_hex(out_, std::as_bytes(std::span(at, count)));
    out_ += '"';
  }

  void named(const Type& type, std::int64_t number) {
    const EnumType& kind = table_.schema_->enums()[index_of(type)];
    const EnumMember* const member = kind.find(number);
    if (member != nullptr && !member->name.empty()) {
      out_ += table_.names_[index_of(type)][static_cast<std::size_t>(member - kind.members.data())];
    } else if (kind.underlying == Base::uint64) {
      append_number(out_, static_cast<std::uint64_t>(number));
    } else {
      append_number(out_, number);
    }
  }

  const JsonTable& table_;
  std::string& out_;
};

JsonTable::JsonTable(const Schema& schema) : schema_(&schema) {
  for (const EnumType& kind : schema.enums()) {
    std::vector<std::string>& names = names_.emplace_back();
    for (const EnumMember& member : kind.members) append_words(names.emplace_back(), member.name);
  }
  for (const ObjectType& type : schema.objects()) {
    Members& members = objects_.emplace_back();
    for (const Field& field : type.fields) {
      Member& member = members.emplace_back(Member{&field, ",", {}});
      append_words(member.name, field.name);
      member.name += ':';
      const bool left_out = field.presence == Field::Presence::optional ||
                            field.life == Field::Life::deprecated || !is_scalar(field.type.base);
      if (left_out) continue;
      member.absent = member.name;
      Writing writing(*this, member.absent);
      const Base base = field.type.base;
      if (base == Base::boolean) {
        member.absent += field.default_integer != 0 ? "true" : "false";
      } else if (base == Base::float32 || base == Base::float64) {
        append_real(member.absent, field.default_real);
      } else if (is_signed(base)) {
        writing.whole(field.type, field.default_integer);
      } else {
        writing.whole(field.type, static_cast<std::uint64_t>(field.default_integer));
      }
    }
  }
}

Status JsonTable::append(std::string& out, const ObjectType& type, std::span<const std::byte> body,
                         const void* object, Proven proven) const {
  const auto* const at = static_cast<const std::byte*>(object);
  const bool inside =
      !std::less<>{}(at, body.data()) && std::less<>{}(at, body.data() + body.size());
  const bool aligned = reinterpret_cast<std::uintptr_t>(body.data()) % body_alignment == 0;
  if (!inside || !aligned || body.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) {
    // What never comes out of a page is left to who knows what to say of it.
    out += PIEVT_TRY(object_to_json(*schema_, type, body, object));
    return {};
  }
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(body.data()),
                                            body.size());
  const std::uint8_t* const begin = bytes.data() + (at - body.data());
  if (proven == Proven::no) PIEVT_TRY(check_object(*schema_, type, bytes, begin));
  Writing(*this, out).object(static_cast<std::size_t>(&type - schema_->objects().data()), begin);
  return {};
}

}  // namespace pievt::reflect
