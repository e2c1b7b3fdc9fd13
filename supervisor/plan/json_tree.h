// A JSON document in which every value and every key knows where it stands in its file.
//
// Libraries give either values or positions; error messages need both. So RapidJSON reads (JSON
// with
// // and /* */ comments and trailing commas, UTF-8 checked, no recursion), and what it reads is
// laid down in one flat array: 32 bytes a value, children after their parent, each knowing where
// its successor begins. A deep or a huge document costs neither stack nor a million allocations.
//
// Stricter than the grammar in three ways: keys of one object differ, no string holds U+0000 (no
// path, variable or prompt can), and depth and number of values are bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/plan/source.h"

namespace pievt::plan {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// "text", "a number", "a list": how a message names a kind.
std::string_view name_of(JsonKind kind);

class JsonTree;

/// One value of a tree: a handle, cheap to copy, valid as long as the tree stays where it is.
/// Asking for what the value is not is a bug in the caller and ends the program.
class JsonView {
 public:
  class Iterator;

  JsonKind kind() const;
  Place place() const;           ///< of the value's first character
  std::string_view key() const;  ///< empty unless it is a member of an object
  Place key_place() const;       ///< of the key's opening quote

  bool boolean() const;
  double number() const;
  /// The number, if it is a whole one within 64 signed bits. `2.0` and `2e3` are whole.
  std::optional<std::int64_t> whole_number() const;
  std::string_view string() const;

  std::size_t size() const;  ///< elements or members
  Iterator begin() const;
  Iterator end() const;
  std::optional<JsonView> find(std::string_view key) const;  ///< of an object

 private:
  friend class JsonTree;
  friend class Iterator;
  JsonView(const JsonTree& tree, std::uint32_t index) : tree_(&tree), index_(index) {}

  const JsonTree* tree_;
  std::uint32_t index_;
};

/// Where byte `index` of a decoded string stands in the file, when the string as it is written
/// begins at `string` with its quote. Counts escapes.
Place place_in_string(const Place& string, std::size_t index);

class JsonTree {
 public:
  /// Reads one value from bytes [begin, end) of `source`, which must outlive the tree. Nothing when
  /// that is not possible or not allowed: then `problems` has grown.
  static std::optional<JsonTree> parse(const Source& source, std::size_t begin, std::size_t end,
                                       Problems& problems);
  /// The same for the whole text, after a byte order mark if there is one.
  static std::optional<JsonTree> parse(const Source& source, Problems& problems);

  JsonView root() const { return {*this, 0}; }

 private:
  friend class JsonView;
  friend class JsonBuilder;

  struct StringPlace {
    std::uint32_t begin, bytes;  ///< in strings_
  };
  struct Node {
    std::uint32_t offset = 0;
    std::uint32_t key_offset = 0;
    std::uint32_t key_begin = 0;  ///< in strings_
    std::uint32_t key_bytes = 0;
    std::uint32_t next = 0;  ///< the index after this value and everything inside it
    JsonKind kind = JsonKind::null;
    bool whole = false;  ///< the number is in `integer`
    union {
      std::int64_t integer;
      double real;
      StringPlace string;
      std::uint64_t count = 0;
      bool boolean;
    };
  };
  static_assert(sizeof(Node) == 32);

  explicit JsonTree(const Source& source) : source_(&source) {}

  const Source* source_;
  std::vector<Node> nodes_;
  std::string strings_;  ///< all keys and strings, decoded, one after the other
};

class JsonView::Iterator {
 public:
  using value_type = JsonView;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::input_iterator_tag;

  JsonView operator*() const { return at_; }
  Iterator& operator++();
  Iterator operator++(int) {
    const Iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Iterator& other) const { return at_.index_ == other.at_.index_; }

 private:
  friend class JsonView;
  explicit Iterator(JsonView at) : at_(at) {}
  JsonView at_;
};

}  // namespace pievt::plan
