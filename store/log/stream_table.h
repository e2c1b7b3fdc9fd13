// Which number a stream has and how far it is. Streams are numbered in the order of their first
// event.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pievt/ids.h"
#include "pievt/result.h"
#include "store/log/rocks.h"

namespace pievt {

struct StreamHead {
  std::uint32_t number = 0;
  std::uint64_t revision = 0;
};

/// What the index says about a stream; nothing where it does not exist.
Result<std::optional<StreamHead>> find_stream(const Rocks& rocks, std::string_view name);

/// The name of a numbered stream. not_found where there is none.
Result<std::string> name_of_stream(const Rocks& rocks, std::uint32_t number);

/// The highest stream number in use; 0 where there is none.
Result<std::uint32_t> last_stream_number(const Rocks& rocks);

/// The writer's own, faster knowledge: every stream it has touched, as of its last commit. Not
/// thread-safe.
class StreamTable {
 public:
  explicit StreamTable(const Rocks& rocks, std::uint32_t last_number)
      : rocks_(&rocks), last_number_(last_number) {}

  /// The stream's entry, looked up once; number 0 where the stream does not exist. Valid for the
  /// table's life.
  Result<StreamHead*> find(std::string_view name);

  /// Gives a number to a stream that has none.
  std::uint32_t declare(StreamHead& entry) { return entry.number = ++last_number_; }

 private:
  // So that a name is looked for as it is, and not as a copy of it.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  const Rocks* rocks_;
  std::uint32_t last_number_;
  std::unordered_map<std::string, StreamHead, Hash, std::equal_to<>> known_;
};

}  // namespace pievt
