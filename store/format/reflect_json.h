// JSON of any FlatBuffer with a schema, and the flat form that two of them are compared in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "store/format/reflect.h"
#include "store/format/reflect_walk.h"

namespace pievt::reflect {

struct JsonStyle {
  enum class Layout : std::uint8_t {
    compact,  ///< one line
    pretty    ///< indented by two blanks
  };
  /// JavaScript and many other readers round whole numbers beyond 2^53 without a word.
  enum class LargeNumbers : std::uint8_t { as_strings, as_numbers };

  Layout layout = Layout::compact;
  LargeNumbers large_numbers = LargeNumbers::as_strings;
  Defaults defaults = Defaults::shown;
};

/// Writes JSON text. As a visitor it takes what a walk tells; called by hand (`key`, `begin_object`
/// without a type) it writes what goes around that, e.g. the stamp of an event. The caller keeps
/// begins and ends in balance; everything else is correct by construction:
///
/// strings are valid UTF-8, with U+FFFD for each broken sequence; enums are their names, or their
/// number where it has none; bytes are lowercase hexadecimal; numbers that JSON does not have (NaN,
/// infinity) and what an unknown tag hides are null.
class JsonWriter final : public Visitor {
 public:
  /// `expected_bytes` is a guess of the text's size, to save memory being moved.
  explicit JsonWriter(JsonStyle style = {}, std::size_t expected_bytes = 0) : style_(style) {
    text_.reserve(expected_bytes);
  }

  void begin_object();
  void begin_object(const ObjectType& type) override;
  void end_object() override;
  void begin_array(std::size_t size = 0) override;
  void end_array() override;
  void field(const Field& field) override { key(field.name); }
  void value(const Value& value) override;

  /// The name of the next value. `name` is escaped like any string.
  void key(std::string_view name);

  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  enum class Place : std::uint8_t { first, later, after_key };

  void begin(char bracket);
  void end(char bracket);
  void separate();
  void new_line();

  JsonStyle style_;
  std::string text_;
  std::size_t depth_ = 0;
  Place place_ = Place::after_key;  // nothing separates the first value from what is before it
};

/// The FlatBuffer in `body` as one JSON object. Errors as `walk`.
Result<std::string> to_json(const Schema& schema, std::span<const std::byte> body,
                            JsonStyle style = {});

/// One table or struct inside `body` as one JSON object. Errors as `walk_object`.
Result<std::string> object_to_json(const Schema& schema, const ObjectType& type,
                                   std::span<const std::byte> body, const void* object,
                                   JsonStyle style = {});

/// One leaf of a body: where it is, e.g. `payload.checks[2].actual`, and what it says.
struct Leaf {
  std::string path;
  std::string text;

  friend bool operator==(const Leaf&, const Leaf&) = default;
};

/// Every leaf of `body` in the order of the walk, so two bodies of one type can be compared side by
/// side. Strings are as they were stored, everything else as in JSON but without quotes; an empty
/// array is the leaf `[]`, an empty object `{}`, what an unknown tag hides is `null`. Errors as
/// `walk`.
Result<std::vector<Leaf>> flatten(const Schema& schema, std::span<const std::byte> body,
                                  Defaults defaults = Defaults::shown);

}  // namespace pievt::reflect
