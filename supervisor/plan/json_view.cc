// Reading a JSON tree; see json_tree.h. Building one is json_tree.cc.
#include "supervisor/plan/json_tree.h"

namespace pievt::plan {
namespace {

unsigned hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a') + 10;
}

unsigned hex4(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits.substr(0, 4)) value = value * 16 + hex_value(c);
  return value;
}

struct Escape {
  std::size_t file_bytes;
  std::size_t decoded_bytes;
};

/// What one character of a checked JSON string takes in the file and in memory.
Escape character_at(std::string_view raw) {
  if (raw[0] != '\\') return {1, 1};
  if (raw[1] != 'u') return {2, 1};
  const unsigned code = hex4(raw.substr(2));
  if (code >= 0xD800 && code <= 0xDBFF) return {12, 4};
  return {6, code < 0x80 ? 1u : code < 0x800 ? 2u : 3u};
}

}  // namespace

std::string_view name_of(JsonKind kind) {
  switch (kind) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "true or false";
    case JsonKind::number:
      return "a number";
    case JsonKind::string:
      return "text";
    case JsonKind::array:
      return "a list";
    case JsonKind::object:
      return "an object";
  }
  return "?";
}

JsonKind JsonView::kind() const {
  return tree_->nodes_[index_].kind;
}

Place JsonView::place() const {
  return {tree_->source_, tree_->nodes_[index_].offset};
}

std::string_view JsonView::key() const {
  const JsonTree::Node& node = tree_->nodes_[index_];
  return std::string_view(tree_->strings_).substr(node.key_begin, node.key_bytes);
}

Place JsonView::key_place() const {
  return {tree_->source_, tree_->nodes_[index_].key_offset};
}

bool JsonView::boolean() const {
  PIEVT_ASSERT(kind() == JsonKind::boolean);
  return tree_->nodes_[index_].boolean;
}

double JsonView::number() const {
  PIEVT_ASSERT(kind() == JsonKind::number);
  const JsonTree::Node& node = tree_->nodes_[index_];
  return node.whole ? static_cast<double>(node.integer) : node.real;
}

std::optional<std::int64_t> JsonView::whole_number() const {
  PIEVT_ASSERT(kind() == JsonKind::number);
  const JsonTree::Node& node = tree_->nodes_[index_];
  if (!node.whole) return std::nullopt;
  return node.integer;
}

std::string_view JsonView::string() const {
  PIEVT_ASSERT(kind() == JsonKind::string);
  const JsonTree::Node& node = tree_->nodes_[index_];
  return std::string_view(tree_->strings_).substr(node.string.begin, node.string.bytes);
}

std::size_t JsonView::size() const {
  PIEVT_ASSERT(kind() == JsonKind::array || kind() == JsonKind::object);
  return tree_->nodes_[index_].count;
}

JsonView::Iterator JsonView::begin() const {
  PIEVT_ASSERT(kind() == JsonKind::array || kind() == JsonKind::object);
  return Iterator(JsonView(*tree_, index_ + 1));
}

JsonView::Iterator JsonView::end() const {
  return Iterator(JsonView(*tree_, tree_->nodes_[index_].next));
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  PIEVT_ASSERT(kind() == JsonKind::object);
  for (const JsonView member : *this)
    if (member.key() == key) return member;
  return std::nullopt;
}

Place place_in_string(const Place& string, std::size_t index) {
  const std::string_view text = string.source->text();
  std::size_t at = string.offset + 1;
  for (std::size_t decoded = 0; decoded < index && at < text.size() && text[at] != '"';) {
    const Escape character = character_at(text.substr(at));
    at += character.file_bytes;
    decoded += character.decoded_bytes;
  }
  return {string.source, at};
}

JsonView::Iterator& JsonView::Iterator::operator++() {
  at_.index_ = at_.tree_->nodes_[at_.index_].next;
  return *this;
}

}  // namespace pievt::plan
