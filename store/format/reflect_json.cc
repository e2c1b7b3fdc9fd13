#include "store/format/reflect_json.h"

#include <optional>
#include <utility>

#include "store/format/reflect_json_text.h"

namespace pievt::reflect {
namespace {

constexpr std::size_t json_growth = 3;  // what an event's names add to its bytes; a guess will do

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
  if (const auto words = words_of(value)) return append_words(text_, *words);
  const bool quoted = std::holds_alternative<Bytes>(value) ||
                      (style_.large_numbers == JsonStyle::LargeNumbers::as_strings &&
                       magnitude(value).value_or(0) > exact_max);
  if (quoted) text_ += '"';
  std::visit(AppendPlain{text_}, value);
  if (quoted) text_ += '"';
}

void JsonWriter::key(std::string_view name) {
  separate();
  append_words(text_, name);
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
