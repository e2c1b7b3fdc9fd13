// The state is a stack of open brackets, one flag for "a key was written" and one for "the document
// is whole".
#include "tools/render/json_writer.h"

#include <cmath>
#include <iterator>

#include "pievt/plain_text.h"
#include "pievt/result.h"
#include "tools/render/utf8.h"

namespace pievt::render {
namespace {

void append_escaped(std::string& out, char32_t c, std::string_view bytes) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  // DEL, C1 and the line separators are legal in JSON; escaped, they cannot disturb a terminal or a
  // splitter.
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
  if (control) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(c));
  } else {
    out += bytes;
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t position = 0; position < text.size();) {
    // Most of what is written stands for itself and is copied without a look at single characters.
    const std::size_t run = plain_run(text.substr(position));
    out += text.substr(position, run);
    position += run;
    if (position == text.size()) break;
    if (const auto byte = static_cast<unsigned char>(text[position]); byte < 0x80) {
      append_escaped(out, byte, text.substr(position++, 1));
      continue;
    }
    const Decoded decoded = decode_utf8(text, position);
    if (decoded.valid) {
      append_escaped(out, decoded.code_point, text.substr(position, decoded.size));
    } else {
      append_utf8(out, 0xFFFD);
    }
    position += decoded.size;
  }
  out += '"';
}

void JsonWriter::new_line() {
  if (layout_ == Layout::compact) return;
  out_.write("\n");
  out_.write(std::string(levels_.size() * 2, ' '));
}

void JsonWriter::before_value() {
  PIEVT_ASSERT(!complete_);
  if (levels_.empty()) return;
  if (after_key_) {
    after_key_ = false;
    return;
  }
  Level& level = levels_.back();
  PIEVT_ASSERT(level.close == ']');
  if (!level.empty) out_.write(",");
  level.empty = false;
  new_line();
}

JsonWriter& JsonWriter::begin(char open, char close) {
  before_value();
  out_.write({&open, 1});
  levels_.push_back({close});
  return *this;
}

JsonWriter& JsonWriter::end(char close) {
  PIEVT_ASSERT(!levels_.empty());
  PIEVT_ASSERT(!after_key_);
  const Level level = levels_.back();
  PIEVT_ASSERT(level.close == close);
  levels_.pop_back();
  if (!level.empty) new_line();
  out_.write({&close, 1});
  complete_ = levels_.empty();
  return *this;
}

JsonWriter& JsonWriter::begin_object() {
  return begin('{', '}');
}
JsonWriter& JsonWriter::end_object() {
  return end('}');
}
JsonWriter& JsonWriter::begin_array() {
  return begin('[', ']');
}
JsonWriter& JsonWriter::end_array() {
  return end(']');
}

JsonWriter& JsonWriter::key(std::string_view name) {
  PIEVT_ASSERT(!levels_.empty());
  PIEVT_ASSERT(!after_key_);
  Level& level = levels_.back();
  PIEVT_ASSERT(level.close == '}');
  if (!level.empty) out_.write(",");
  level.empty = false;
  new_line();
  out_.write(json_string(name));
  out_.write(layout_ == Layout::indented ? ": " : ":");
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  before_value();
  out_.write(json);
  complete_ = levels_.empty();
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  return raw(json_string(text));
}
JsonWriter& JsonWriter::value(bool truth) {
  return raw(truth ? "true" : "false");
}
JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::value(double number) {
  return std::isfinite(number) ? raw(fmt::format("{}", number)) : null();
}

JsonWriter& JsonWriter::integer(std::string_view digits, Integers as) {
  return as == Integers::numbers ? raw(digits) : raw(fmt::format("\"{}\"", digits));
}

JsonWriter& JsonWriter::begin_document(std::string_view schema, int schema_version) {
  return begin_object()
      .member("schema", schema)
      .key("schema_version")
      .value(schema_version, Integers::numbers);
}

void JsonWriter::end_document() {
  PIEVT_ASSERT(complete_);
  out_.write("\n");
  complete_ = false;
}

}  // namespace pievt::render
