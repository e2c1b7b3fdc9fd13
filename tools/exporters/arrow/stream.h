// An Arrow IPC stream of flat columns, written as it comes: a schema, record batches, an end. What
// any Arrow library, data frame or notebook reads, from a pipe as well as from a file.
//
// The bytes are made here and not by Arrow's own library, which Debian 12 does not have: messages
// are FlatBuffers (arrow_ipc.fbs), bodies are buffers, each compressed on its own as one zstd frame
// behind its uncompressed size. A buffer that zstd does not make smaller stays as it is, behind
// -1, as the format says. Memory is one batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pievt/result.h"
#include "tools/render/writer.h"

namespace pievt::tools::arrow {

enum class Kind : std::uint8_t {
  uint32,
  uint64,
  timestamp,  ///< nanoseconds since 1970, UTC
  utf8,
};
enum class Nulls : std::uint8_t { never, allowed };

struct ColumnSpec {
  std::string_view name;
  Kind kind;
  Nulls nulls;
};

/// The values of one column in the batch that is being filled. Every column gets one value or null
/// a row; a value of another kind than the column's is a bug that ends the program.
class Column {
 public:
  explicit Column(const ColumnSpec& spec) : spec_(spec) { clear(); }

  void add(std::uint64_t number);
  /// `text` must be valid UTF-8: readers are allowed to believe it.
  void add(std::string_view text);
  /// Only where the column allows it.
  void add_null();
  void clear();

  const ColumnSpec& spec() const { return spec_; }
  std::size_t rows() const { return rows_; }
  std::size_t nulls() const { return nulls_; }
  /// What its values take, before compression.
  std::size_t bytes() const { return values_.size(); }

  /// Its buffers in the order of the format: validity (empty: nothing is null), of texts their
  /// offsets, values.
  std::vector<std::span<const std::byte>> buffers() const;

 private:
  void row(bool valid);
  void number(std::uint64_t value);

  ColumnSpec spec_;
  std::size_t rows_ = 0, nulls_ = 0;
  std::vector<std::uint8_t> validity_;
  std::vector<std::int32_t> offsets_;
  std::vector<std::byte> values_;
};

/// Writes to `out`, which must live longer.
class StreamWriter {
 public:
  explicit StreamWriter(render::Writer& out) : out_(out) {}

  /// Once, first. `metadata` belongs to the schema, keys and values in UTF-8.
  void begin(std::span<const Column> columns,
             std::span<const std::pair<std::string, std::string>> metadata);
  /// What the columns hold, which all have as many rows. invalid: a column is too large to be
  /// compressed in one piece.
  Status batch(std::span<const Column> columns);
  /// Once, last.
  void end();

 private:
  void message(std::span<const std::uint8_t> flatbuffer);

  render::Writer& out_;
  std::string body_;
};

}  // namespace pievt::tools::arrow
