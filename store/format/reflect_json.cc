#include "store/format/reflect_json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace pievt::reflect {
namespace {

constexpr std::uint64_t exact_max = 1ull << 53;  // beyond it a double skips whole numbers
constexpr std::size_t json_growth = 3;  // what an event's names add to its bytes; a guess will do
constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::string_view hex_digits = "0123456789abcdef";

template <class T>
void append_number(std::string& out, T number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

void append_real(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  append_number(out, number);
}

void append_hex(std::string& out, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    out += hex_digits[std::to_integer<std::size_t>(byte >> 4)];
    out += hex_digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
}

// How long the UTF-8 sequence at the front of `text` is, and whether it is whole. A broken one is
// as long as it could have become a whole one (the Unicode standard's "maximal subpart"), so that
// every decoder shows the same number of replacement characters.
struct Sequence {
  std::size_t size;
  bool whole;
};

Sequence sequence_at(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < size; ++i) {
    if (i >= text.size() || byte(i) < (i == 1 ? low : 0x80) || byte(i) > (i == 1 ? high : 0xBF)) {
      return {i, false};
    }
  }
  return {size, true};
}

// True for what stands for itself in JSON, without looking at its neighbours.
constexpr std::array<bool, 256> plain_bytes = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0x20; byte < 0x7F; ++byte) table[byte] = byte != '"' && byte != '\\';
  return table;
}();

bool is_plain(char c) {
  return plain_bytes[static_cast<unsigned char>(c)];
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view escaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  out += '\\';
  if (const std::size_t found = escaped.find(c); found != std::string_view::npos) {
    out += letters[found];
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "u00";
  out += hex_digits[byte >> 4];
  out += hex_digits[byte & 15u];
}

std::optional<std::uint64_t> magnitude(const Value& value) {
  if (const auto* plain = std::get_if<std::uint64_t>(&value)) return *plain;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    const auto bits = static_cast<std::uint64_t>(*number);
    return *number < 0 ? ~bits + 1 : bits;
  }
  return std::nullopt;
}

// A leaf without quotes. Strings are passed on as they are.
struct AppendPlain {
  std::string& out;

  void operator()(Opaque) const { out += "null"; }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(std::uint64_t number) const { append_number(out, number); }
  void operator()(std::int64_t number) const { append_number(out, number); }
  void operator()(double number) const { append_real(out, number); }
  void operator()(std::string_view text) const { out += text; }
  void operator()(const EnumValue& value) const {
    if (!value.name.empty()) {
      out += value.name;
    } else if (value.type->underlying == Base::uint64) {
      append_number(out, static_cast<std::uint64_t>(value.number));
    } else {
      append_number(out, value.number);
    }
  }
  void operator()(const Bytes& value) const { append_hex(out, value.bytes); }
};

// What JSON writes as an escaped string. Names count: a schema from a log is somebody else's, too.
std::optional<std::string_view> words_of(const Value& value) {
  if (const auto* words = std::get_if<std::string_view>(&value)) return *words;
  const auto* named = std::get_if<EnumValue>(&value);
  if (named != nullptr && !named->name.empty()) return named->name;
  return std::nullopt;
}

}  // namespace

void JsonWriter::begin_object() {
  begin('{');
}
void JsonWriter::begin_object(const ObjectType&) {
  begin('{');
}
void JsonWriter::end_object() {
  end('}');
}
void JsonWriter::begin_array(std::size_t) {
  begin('[');
}
void JsonWriter::end_array() {
  end(']');
}

void JsonWriter::value(const Value& value) {
  separate();
  if (const auto words = words_of(value)) return string(*words);
  const bool quoted = std::holds_alternative<Bytes>(value) ||
                      (style_.large_numbers == JsonStyle::LargeNumbers::as_strings &&
                       magnitude(value).value_or(0) > exact_max);
  if (quoted) text_ += '"';
  std::visit(AppendPlain{text_}, value);
  if (quoted) text_ += '"';
}

void JsonWriter::key(std::string_view name) {
  separate();
  string(name);
  text_ += style_.layout == JsonStyle::Layout::pretty ? ": " : ":";
  place_ = Place::after_key;
}

void JsonWriter::begin(char bracket) {
  separate();
  text_ += bracket;
  ++depth_;
  place_ = Place::first;
}

void JsonWriter::end(char bracket) {
  --depth_;
  if (place_ != Place::first) new_line();
  text_ += bracket;
  place_ = Place::later;
}

// What goes before a value or a key: nothing after a key, a comma between two.
void JsonWriter::separate() {
  if (place_ == Place::later) text_ += ',';
  if (place_ != Place::after_key) new_line();
  place_ = Place::later;
}

void JsonWriter::new_line() {
  if (style_.layout == JsonStyle::Layout::compact) return;
  text_ += '\n';
  text_.append(2 * depth_, ' ');
}

void JsonWriter::string(std::string_view text) {
  text_ += '"';
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && is_plain(text[run])) ++run;
    text_.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) break;
    std::size_t taken = 1;
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      append_escape(text_, text[0]);
    } else {
      const Sequence sequence = sequence_at(text);
      taken = sequence.size;
      text_.append(sequence.whole ? text.substr(0, taken) : replacement);
    }
    text.remove_prefix(taken);
  }
  text_ += '"';
}

Result<std::string> to_json(const Schema& schema, std::span<const std::byte> body,
                            JsonStyle style) {
  JsonWriter writer(style, body.size() * json_growth);
  PIEVT_TRY(walk(schema, body, writer, style.defaults));
  return writer.take();
}

Result<std::string> object_to_json(const Schema& schema, const ObjectType& type,
                                   std::span<const std::byte> body, const void* object,
                                   JsonStyle style) {
  JsonWriter writer(style);
  PIEVT_TRY(walk_object(schema, type, body, object, writer, style.defaults));
  return writer.take();
}

namespace {

class Flattener final : public Visitor {
 public:
  void begin_object(const ObjectType&) override { begin(Level::Kind::object); }
  void end_object() override { end("{}"); }
  void begin_array(std::size_t) override { begin(Level::Kind::array); }
  void end_array() override { end("[]"); }
  void field(const Field& field) override {
    Level& level = levels_.back();
    level.empty = false;
    path_.resize(level.path_size);
    if (!path_.empty()) path_ += '.';
    path_ += field.name;
  }
  void value(const Value& value) override {
    next_element();
    std::string text;
    std::visit(AppendPlain{text}, value);
    leaves_.push_back({path_, std::move(text)});
  }
  std::vector<Leaf> take() { return std::move(leaves_); }

 private:
  struct Level {
    enum class Kind : std::uint8_t { object, array } kind;
    std::size_t path_size;  // of the path to the object or array itself
    std::size_t next = 0;   // index of the element to come
    bool empty = true;
  };

  void begin(Level::Kind kind) {
    next_element();
    levels_.push_back({kind, path_.size()});
  }
  void end(std::string_view what) {
    const Level level = levels_.back();
    levels_.pop_back();
    path_.resize(level.path_size);
    if (level.empty) leaves_.push_back({path_, std::string(what)});
  }
  // Elements have no names: their path is the array's and their index.
  void next_element() {
    if (levels_.empty() || levels_.back().kind == Level::Kind::object) return;
    Level& level = levels_.back();
    level.empty = false;
    path_.resize(level.path_size);
    path_ += '[';
    append_number(path_, level.next++);
    path_ += ']';
  }

  std::vector<Level> levels_;
  std::string path_;
  std::vector<Leaf> leaves_;
};

}  // namespace

Result<std::vector<Leaf>> flatten(const Schema& schema, std::span<const std::byte> body,
                                  Defaults defaults) {
  Flattener flattener;
  PIEVT_TRY(walk(schema, body, flattener, defaults));
  return flattener.take();
}

}  // namespace pievt::reflect
