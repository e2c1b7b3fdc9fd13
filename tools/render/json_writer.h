// JSON, written as it comes: nothing is built in memory, so a log of ten million events is as cheap
// as one. The writer looks after commas, quotes and indentation; the caller looks after the order
// of its calls, and a wrong order is a bug that ends the program (a value without a key in an
// object, an end without a beginning).
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tools/render/writer.h"

namespace pievt::render {

class JsonWriter {
 public:
  /// `indented` is for one document that people may look at; `compact` is for lines of JSONL.
  enum class Layout : std::uint8_t { compact, indented };
  /// JSON readers round integers beyond 2^53; what is copied and compared (ids, hashes) goes as a
  /// string.
  enum class Integers : std::uint8_t { numbers, strings };

  /// Writes to `out`, which must live longer. `integers` holds for all integers that do not say
  /// otherwise.
  explicit JsonWriter(Writer& out, Layout layout = Layout::compact,
                      Integers integers = Integers::numbers)
      : out_(out), layout_(layout), integers_(integers) {}

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  /// Text is escaped; bytes that are not UTF-8 become U+FFFD. The result is printable ASCII or
  /// valid UTF-8.
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  /// The shortest digits that read back as the same double; infinities and NaN, which JSON lacks,
  /// are null.
  JsonWriter& value(double number);
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) JsonWriter& value(T number) {
    return value(number, integers_);
  }
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) JsonWriter& value(T number,
                                                                               Integers as) {
    if constexpr (std::is_signed_v<T>) {
      return integer(fmt::format("{}", static_cast<std::int64_t>(number)), as);
    } else {
      return integer(fmt::format("{}", static_cast<std::uint64_t>(number)), as);
    }
  }
  JsonWriter& null();
  /// JSON that somebody else made and that is known to be valid, as one value.
  JsonWriter& raw(std::string_view json);

  /// A key and its value.
  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  /// Begins an object whose first members say what it is, as every document of ours does.
  JsonWriter& begin_document(std::string_view schema, int schema_version);

  /// Ends the line after a whole document and is ready for the next one.
  void end_document();

 private:
  struct Level {
    char close;
    bool empty = true;
  };

  JsonWriter& begin(char open, char close);
  JsonWriter& end(char close);
  JsonWriter& integer(std::string_view digits, Integers as);
  void before_value();
  void new_line();

  Writer& out_;
  Layout layout_;
  Integers integers_;
  std::vector<Level> levels_;
  bool after_key_ = false;
  bool complete_ = false;
};

/// `text` as a JSON string with its quotes.
std::string json_string(std::string_view text);
/// The same, appended.
void append_json_string(std::string& out, std::string_view text);

}  // namespace pievt::render
