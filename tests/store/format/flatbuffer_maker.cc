#include "tests/store/format/flatbuffer_maker.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "flatbuffers/idl.h"

namespace pievt::reflect::testing {
namespace {

using Offset = flatbuffers::uoffset_t;

std::vector<std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  const auto* const first = reinterpret_cast<const std::byte*>(data);
  return {first, first + size};
}

std::vector<std::byte> serialized(flatbuffers::Parser& parser) {
  parser.Serialize();
  return bytes_of(parser.builder_.GetBufferPointer(), parser.builder_.GetSize());
}

flatbuffers::IDLOptions schema_options() {
  flatbuffers::IDLOptions options;
  options.binary_schema_comments = true;
  options.binary_schema_builtins = true;
  return options;
}

/// Fills tables by dice. Children are finished before their parents, as FlatBuffers demands.
class Dresser {
 public:
  Dresser(const Schema& schema, std::uint8_t tag, std::mt19937_64& dice)
      : schema_(schema), tag_(tag), dice_(dice) {}

  std::vector<std::byte> body() {
    const Offset root = table(schema_.root(), 0);
    const std::string identifier(schema_.file_identifier());
    builder_.Finish(flatbuffers::Offset<flatbuffers::Table>(root),
                    identifier.empty() ? nullptr : identifier.c_str());
    return bytes_of(builder_.GetBufferPointer(), builder_.GetSize());
  }

 private:
  std::uint64_t roll(std::uint64_t below) { return dice_() % below; }

  const ObjectType& object_of(const Type& type) const {
    return schema_.objects()[static_cast<std::size_t>(type.index)];
  }

  Offset table(const ObjectType& type, int depth) {
    std::vector<std::pair<const Field*, Offset>> children;
    std::vector<const Field*> chosen;
    for (const Field& field : type.fields) {
      const bool is_union =
          field.type.base == Base::union_tag || field.type.base == Base::union_value;
      if (field.presence != Field::Presence::required && !is_union && roll(4) == 0) continue;
      chosen.push_back(&field);
      if (std::optional<Offset> child = make_child(field, depth))
        children.push_back({&field, *child});
    }
    const Offset start = builder_.StartTable();
    for (const Field* field : chosen) {
      if (is_scalar(field->type.base)) add_scalar(*field);
      if (is_inline_struct(*field)) add_struct(*field);
    }
    for (const auto& [field, child] : children) {
      builder_.AddOffset(field->offset, flatbuffers::Offset<void>(child));
    }
    return builder_.EndTable(start);
  }

  bool is_inline_struct(const Field& field) const {
    return field.type.base == Base::object &&
           object_of(field.type).form == ObjectType::Form::structure;
  }

  std::optional<Offset> make_child(const Field& field, int depth) {
    switch (field.type.base) {
      case Base::string:
        return string();
      case Base::vector:
        return vector(field.type, depth);
      case Base::union_value:
        return table(*schema_.member_table(*schema_.root_union(), tag_), depth + 1);
      case Base::object:
        if (is_inline_struct(field)) return std::nullopt;
        return table(object_of(field.type), depth + 1);
      default:
        return std::nullopt;
    }
  }

  Offset string() {
    static const std::vector<std::string> pieces = {
        "a",  "/tmp/x", " ",        "\"",           "\\",
        "\n", "\x01",   "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\x99"};
    std::string text;
    for (std::uint64_t i = roll(6); i > 0; --i) text += pieces[roll(pieces.size())];
    return builder_.CreateString(text).o;
  }

  Offset vector(const Type& type, int depth) {
    const std::size_t count = depth > 6 ? 0 : roll(4);
    const bool is_struct =
        type.element == Base::object && object_of(type).form == ObjectType::Form::structure;
    if (type.element == Base::string || (type.element == Base::object && !is_struct)) {
      std::vector<flatbuffers::Offset<void>> elements;
      for (std::size_t i = 0; i < count; ++i) {
        elements.push_back(type.element == Base::string ? string()
                                                        : table(object_of(type), depth + 1));
      }
      return builder_.CreateVector(elements).o;
    }
    const std::size_t step = is_struct ? object_of(type).size : size_of(type.element);
    const std::size_t align = is_struct ? object_of(type).align : step;
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<std::uint8_t> one =
          is_struct ? structure(object_of(type)) : scalar(type.element, type.index);
      bytes.insert(bytes.end(), one.begin(), one.end());
    }
    builder_.StartVector(bytes.size() / align, align);
    builder_.PushBytes(bytes.data(), bytes.size());
    return builder_.EndVector(count);
  }

  // A number that its type can hold; of an enum, one that has a name.
  std::vector<std::uint8_t> scalar(Base base, std::int32_t index) {
    std::uint64_t bits = roll(2) == 0 ? roll(3) : dice_();
    if (base == Base::boolean) bits %= 2;
    if (index >= 0) {
      const auto& members = schema_.enums()[static_cast<std::size_t>(index)].members;
      bits = static_cast<std::uint64_t>(members[roll(members.size())].number);
    }
    if (base == Base::union_tag) bits = tag_;
    std::vector<std::uint8_t> bytes(size_of(base));
    if (base == Base::float64) {
      const double real = static_cast<double>(roll(1'000'000)) / 64;
      std::memcpy(bytes.data(), &real, sizeof(real));
    } else if (base == Base::float32) {
      const float real = static_cast<float>(roll(1000)) / 4;
      std::memcpy(bytes.data(), &real, sizeof(real));
    } else {
      std::memcpy(bytes.data(), &bits, bytes.size());
    }
    return bytes;
  }

  std::vector<std::uint8_t> structure(const ObjectType& type) {
    std::vector<std::uint8_t> bytes(type.size);
    for (const Field& field : type.fields) {
      const bool is_array = field.type.base == Base::array;
      const Base base = is_array ? field.type.element : field.type.base;
      std::size_t at = field.offset;
      for (std::size_t i = 0; i < (is_array ? field.type.length : 1u); ++i) {
        const std::vector<std::uint8_t> one = base == Base::object
                                                  ? structure(object_of(field.type))
                                                  : scalar(base, field.type.index);
        std::memcpy(bytes.data() + at, one.data(), one.size());
        at += one.size();
      }
    }
    return bytes;
  }

  void add_struct(const Field& field) {
    const ObjectType& type = object_of(field.type);
    const std::vector<std::uint8_t> bytes = structure(type);
    builder_.StartStruct(type.align);
    builder_.PushBytes(bytes.data(), bytes.size());
    builder_.AddStructOffset(field.offset, builder_.GetSize());
  }

  void add_scalar(const Field& field) {
    const std::vector<std::uint8_t> bytes = scalar(field.type.base, field.type.index);
    builder_.Align(bytes.size());
    builder_.PushBytes(bytes.data(), bytes.size());
    builder_.TrackField(field.offset, builder_.GetSize());
  }

  const Schema& schema_;
  std::uint8_t tag_;
  std::mt19937_64& dice_;
  flatbuffers::FlatBufferBuilder builder_;
};

}  // namespace

std::vector<std::byte> compile(const std::string& schema_text) {
  flatbuffers::Parser parser(schema_options());
  EXPECT_TRUE(parser.Parse(schema_text.c_str())) << parser.error_;
  return serialized(parser);
}

std::vector<std::byte> compile_file(const std::string& path) {
  const std::string text = read_file(path);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const char* include_directories[] = {folder.c_str(), nullptr};
  flatbuffers::Parser parser(schema_options());
  EXPECT_TRUE(parser.Parse(text.c_str(), include_directories, path.c_str())) << parser.error_;
  return serialized(parser);
}

std::string read_file(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Schema load(const std::vector<std::byte>& bfbs) {
  auto schema = Schema::load(bfbs);
  EXPECT_TRUE(schema.ok()) << schema.error().what;
  return std::move(schema).value();
}

std::vector<std::byte> body_from_json(const std::string& schema_text, const std::string& json) {
  flatbuffers::Parser parser;
  EXPECT_TRUE(parser.Parse(schema_text.c_str())) << parser.error_;
  EXPECT_TRUE(parser.Parse(json.c_str())) << parser.error_;
  return bytes_of(parser.builder_.GetBufferPointer(), parser.builder_.GetSize());
}

std::string flatc_json(const std::vector<std::byte>& bfbs, const std::vector<std::byte>& body) {
  flatbuffers::IDLOptions options;
  options.strict_json = true;
  options.output_default_scalars_in_json = true;
  flatbuffers::Parser parser(options);
  EXPECT_TRUE(parser.Deserialize(reinterpret_cast<const std::uint8_t*>(bfbs.data()), bfbs.size()));
  std::string json;
  EXPECT_TRUE(flatbuffers::GenerateText(parser, body.data(), &json));
  return json;
}

std::vector<std::byte> random_body(const Schema& schema, std::uint8_t tag, std::mt19937_64& dice) {
  return Dresser(schema, tag, dice).body();
}

}  // namespace pievt::reflect::testing
