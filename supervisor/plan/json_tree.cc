// See json_tree.h. The only file that sees RapidJSON.
//
// RapidJSON tells a handler what it read, not where that began. But it has just checked everything
// up to there, so between the end of one token and the beginning of the next there is only white
// space, comments, commas and colons, and skipping those finds the beginning.
#include "supervisor/plan/json_tree.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <rapidjson/reader.h>

#include "supervisor/plan/limits.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

/// A part of a text as RapidJSON wants to read it. It ends with as many NULs as somebody asks for.
class RangeStream {
 public:
  using Ch = char;
  RangeStream(std::string_view text, std::size_t begin) : text_(text), at_(begin) {}
  Ch Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  Ch Take() { return at_ < text_.size() ? text_[at_++] : '\0'; }
  std::size_t Tell() const { return at_; }
  // Only the in-place mode writes, and it is not used.
  Ch* PutBegin() { return nullptr; }
  void Put(Ch) {}
  void Flush() {}
  std::size_t PutEnd(Ch*) { return 0; }

 private:
  std::string_view text_;
  std::size_t at_;
};

/// The offset of the token that follows `at`, in text that has been checked up to there.
std::size_t token_after(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ':') {
      ++at;
    } else if (text.substr(at).starts_with("//")) {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.substr(at).starts_with("/*")) {
      const std::size_t close = text.find("*/", at + 2);
      at = close == std::string_view::npos ? text.size() : close + 2;
    } else {
      return at;
    }
  }
  return at;
}

std::string sentence_for(rapidjson::ParseErrorCode code, char at) {
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty:
      return at == '\0' ? "nothing to read here: a JSON object is needed"
                        : "a JSON document begins with an object";
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return "the document has ended before this";
    case rapidjson::kParseErrorObjectMissName:
      return "a key in double quotes was expected";
    case rapidjson::kParseErrorObjectMissColon:
      return "\":\" was expected after the key";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      return "\",\" or \"}\" was expected";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      return "\",\" or \"]\" was expected";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
      return "\\u needs four hexadecimal digits";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return "half of a \\u pair without its other half";
    case rapidjson::kParseErrorStringEscapeInvalid:
      return static_cast<unsigned char>(at) < 0x20
                 ? "a line break or control character inside a string; write \\n, or close the "
                   "string"
                 : "\"\\\" stands before \" \\ / b f n r t u only";
    case rapidjson::kParseErrorStringMissQuotationMark:
      return "a string is not closed before the end of the file";
    case rapidjson::kParseErrorStringInvalidEncoding:
      return "not UTF-8";
    case rapidjson::kParseErrorNumberTooBig:
      return "a number too large to hold";
    case rapidjson::kParseErrorNumberMissFraction:
      return "digits were expected after the decimal point";
    case rapidjson::kParseErrorNumberMissExponent:
      return "digits were expected after the exponent";
    case rapidjson::kParseErrorValueInvalid:
      return "a value was expected: an object, a list, \"text\", a number, true, false or null";
    default:
      return at == '\0' ? "a comment is not closed before the end of the file"
                        : "not JSON: neither a value nor a comment";
  }
}

}  // namespace

/// RapidJSON's handler: appends nodes as tokens come.
class JsonBuilder {
 public:
  JsonBuilder(JsonTree& tree, const RangeStream& stream, std::string_view text, Problems& problems)
      : tree_(tree), stream_(stream), text_(text), problems_(problems), end_(stream.Tell()) {}

  bool Null() { return scalar(JsonKind::null) != nullptr; }
  bool Bool(bool value) {
    JsonTree::Node* node = scalar(JsonKind::boolean);
    if (node != nullptr) node->boolean = value;
    return node != nullptr;
  }
  bool Int(int value) { return Int64(value); }
  bool Uint(unsigned value) { return Int64(value); }
  bool Int64(std::int64_t value) {
    JsonTree::Node* node = scalar(JsonKind::number);
    if (node == nullptr) return false;
    node->whole = true;
    node->integer = value;
    return true;
  }
  bool Uint64(std::uint64_t value) {
    if (value <= INT64_MAX) return Int64(static_cast<std::int64_t>(value));
    return Double(static_cast<double>(value));
  }
  bool Double(double value) {
    // Read again from the text: RapidJSON is off by a few digits without its full precision, and
    // with it takes 18446744073709551615.5 for 0. Too small for a double stays as RapidJSON has it.
    const std::string_view token = text_.substr(token_after(text_, end_));
    std::from_chars(token.data(), text_.data() + stream_.Tell(), value);
    if (std::trunc(value) == value && std::abs(value) < 9.0e18)
      return Int64(static_cast<std::int64_t>(value));
    JsonTree::Node* node = scalar(JsonKind::number);
    if (node != nullptr) node->real = value;
    return node != nullptr;
  }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* text, rapidjson::SizeType bytes, bool) {
    const std::size_t begin = tree_.strings_.size();
    JsonTree::Node* node = scalar(JsonKind::string);
    if (node == nullptr || !keep({text, bytes}, node->offset)) return false;
    node->string = {static_cast<std::uint32_t>(begin), bytes};
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType bytes, bool) {
    key_offset_ = token_after(text_, end_);
    key_begin_ = tree_.strings_.size();
    key_bytes_ = bytes;
    end_ = stream_.Tell();
    return keep({text, bytes}, key_offset_);
  }
  bool StartObject() { return open(JsonKind::object); }
  bool StartArray() { return open(JsonKind::array); }
  bool EndObject(rapidjson::SizeType count) {
    const std::uint32_t object = open_.back();
    close(count);
    check_keys(object);
    return true;
  }
  bool EndArray(rapidjson::SizeType count) {
    close(count);
    return true;
  }

 private:
  Place place(std::size_t offset) const { return {tree_.source_, offset}; }

  /// A new node for the token that follows the last one, or none if there are too many.
  JsonTree::Node* add(JsonKind kind) {
    const std::size_t offset = token_after(text_, end_);
    if (tree_.nodes_.size() == limits::values_max) {
      problems_.add(place(offset), fmt::format("more than {} JSON values", limits::values_max));
      return nullptr;
    }
    JsonTree::Node& node = tree_.nodes_.emplace_back();
    node.kind = kind;
    node.offset = static_cast<std::uint32_t>(offset);
    node.key_offset = static_cast<std::uint32_t>(key_offset_);
    node.key_begin = static_cast<std::uint32_t>(key_begin_);
    node.key_bytes = static_cast<std::uint32_t>(key_bytes_);
    node.next = static_cast<std::uint32_t>(tree_.nodes_.size());
    key_offset_ = offset;
    key_bytes_ = 0;
    return &node;
  }

  JsonTree::Node* scalar(JsonKind kind) {
    JsonTree::Node* node = add(kind);
    end_ = stream_.Tell();
    return node;
  }

  bool open(JsonKind kind) {
    const JsonTree::Node* node = add(kind);
    if (node == nullptr) return false;
    if (open_.size() == limits::depth_max) {
      problems_.add(
          place(node->offset),
          fmt::format("more than {} lists and objects inside each other", limits::depth_max));
      return false;
    }
    open_.push_back(static_cast<std::uint32_t>(tree_.nodes_.size() - 1));
    end_ = node->offset + 1;
    return true;
  }

  void close(rapidjson::SizeType count) {
    JsonTree::Node& node = tree_.nodes_[open_.back()];
    node.next = static_cast<std::uint32_t>(tree_.nodes_.size());
    node.count = count;
    open_.pop_back();
    end_ = token_after(text_, end_) + 1;
  }

  bool keep(std::string_view decoded, std::size_t offset) {
    tree_.strings_ += decoded;
    if (decoded.find('\0') != std::string_view::npos) {
      problems_.add(place(offset), "a string must not hold U+0000");
      return false;
    }
    // RapidJSON checks the bytes of the file, but lets \udc00 alone through as a broken character.
    if (invalid_utf8_at(decoded) == std::string_view::npos) return true;
    problems_.add(place(offset),
                  sentence_for(rapidjson::kParseErrorStringUnicodeSurrogateInvalid, '"'));
    return false;
  }

  void check_keys(std::uint32_t object) {
    struct Member {
      std::string_view key;
      std::size_t offset;
    };
    std::vector<Member> members;
    const std::string_view strings = tree_.strings_;
    const std::uint32_t end = tree_.nodes_[object].next;
    for (std::uint32_t i = object + 1; i < end; i = tree_.nodes_[i].next) {
      const JsonTree::Node& node = tree_.nodes_[i];
      members.push_back({strings.substr(node.key_begin, node.key_bytes), node.key_offset});
    }
    std::ranges::stable_sort(members, {}, &Member::key);
    for (std::size_t i = 1; i < members.size(); ++i) {
      if (members[i].key != members[i - 1].key) continue;
      // Positions are found by counting lines, too slow to do for a message nobody prints.
      const std::size_t line =
          problems_.wants_more() ? tree_.source_->position(members[i - 1].offset).line : 0;
      problems_.add(place(members[i].offset),
                    fmt::format("the key {} is already in this object, in line {}",
                                shown(members[i].key), line));
    }
  }

  JsonTree& tree_;
  const RangeStream& stream_;
  std::string_view text_;
  Problems& problems_;
  std::size_t end_;  ///< of the last token
  std::size_t key_offset_ = 0;
  std::size_t key_begin_ = 0;
  std::size_t key_bytes_ = 0;
  std::vector<std::uint32_t> open_;
};

std::optional<JsonTree> JsonTree::parse(const Source& source, std::size_t begin, std::size_t end,
                                        Problems& problems) {
  const std::string_view text = source.text().substr(0, end);
  // RapidJSON takes a NUL for the end and would not see what stands after it.
  if (const std::size_t nul = text.find('\0', begin); nul != std::string_view::npos) {
    problems.add({&source, nul}, "a NUL byte: this is not a text file");
    return std::nullopt;
  }
  PIEVT_ASSERT(text.size() <= UINT32_MAX);
  constexpr unsigned flags = rapidjson::kParseCommentsFlag | rapidjson::kParseTrailingCommasFlag |
                             rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  const std::size_t problems_before = problems.count();
  JsonTree tree(source);
  RangeStream stream(text, begin);
  JsonBuilder builder(tree, stream, text, problems);
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<flags>(stream, builder);
  if (result.IsError() && result.Code() != rapidjson::kParseErrorTermination) {
    const std::size_t at = std::min(result.Offset(), text.size());
    problems.add({&source, at}, sentence_for(result.Code(), at < text.size() ? text[at] : '\0'));
  }
  if (result.IsError() || problems.count() > problems_before) return std::nullopt;
  return tree;
}

std::optional<JsonTree> JsonTree::parse(const Source& source, Problems& problems) {
  return parse(source, source.mark_bytes(), source.text().size(), problems);
}

}  // namespace pievt::plan
