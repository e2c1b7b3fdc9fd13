// Rows of facts, written the way -o asks: a table for people, and json, jsonl or csv for programs.
// A verb describes its columns once and hands over each row once; it never asks which format is
// wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "tools/render/json_writer.h"
#include "tools/render/table.h"
#include "tools/render/terminal.h"
#include "tools/render/text.h"
#include "tools/render/writer.h"

namespace pievt::render {

enum class ListingFormat : std::uint8_t { text, json, jsonl, csv };

/// One fact in all its forms. What is not known is a value of its own: words for people, null in
/// JSON, an empty field in CSV, never zero.
class Fact {
 public:
  static Fact text(std::string_view content, Style style = Style::plain);
  static Fact count(std::uint64_t number);
  static Fact truth(bool yes);
  static Fact bytes(std::uint64_t size);              ///< "1.5 KiB"; the number of bytes
  static Fact money(std::int64_t nanodollars);        ///< "$0.0091"; nano-dollars
  static Fact duration(std::int64_t duration_ns);     ///< "1.2 s"; nanoseconds
  static Fact time(std::int64_t time_ns, Zone zone);  ///< the zone's for people, UTC for programs
  static Fact unknown(std::string_view words = "not known");  ///< "not reported", "running"

  const std::string& shown() const { return shown_; }
  const std::string& json() const { return json_; }
  const std::string& csv() const { return csv_; }
  Style style() const { return style_; }

 private:
  Fact(std::string shown, std::string json, std::string csv, Style style = Style::plain)
      : shown_(std::move(shown)), json_(std::move(json)), csv_(std::move(csv)), style_(style) {}

  std::string shown_;
  std::string json_;
  std::string csv_;
  Style style_;
};

struct ListingColumn {
  std::string key;  ///< the member's name in JSON, the header in CSV, the name in --fields:
                    ///< "cost_nanodollars"
  Column column;    ///< how people see it
  /// Columns that only programs get unless --fields names them.
  enum class Shown : std::uint8_t { always, on_request } shown = Shown::always;
};

struct ListingShape {
  std::string schema;      ///< "pievt.runs"; a line of jsonl has the same schema with ".item"
  int schema_version = 1;  ///< grows when members are added
  std::vector<ListingColumn> columns;
};

class Listing {
 public:
  /// Writes to `out`, which must live longer. `fields` chooses and orders the columns; empty means
  /// all of them as declared. Errc::invalid for a field that no column has, naming those there are.
  static Result<Listing> create(Writer& out, const Terminal& terminal, ListingFormat format,
                                ListingShape shape, std::span<const std::string> fields);

  /// One row: a fact for each column of the shape, in its order. jsonl and csv are written at once,
  /// so endless listings work; text is laid out at the end, since the widths depend on all rows.
  void row(std::span<const Fact> facts);
  void row(std::initializer_list<Fact> facts) { row(std::span(facts.begin(), facts.size())); }

  /// Writes what is left. `when_empty` is the sentence people get instead of a table without rows.
  void finish(std::string_view when_empty);

  std::size_t rows() const { return rows_; }

 private:
  Listing(Writer& out, const Terminal& terminal, ListingFormat format, ListingShape shape,
          std::vector<std::size_t> order);
  void write_members(JsonWriter& json, std::span<const Fact> facts) const;
  void begin();

  Writer* out_;
  Terminal terminal_;
  ListingFormat format_;
  ListingShape shape_;
  std::vector<std::size_t> order_;  // which columns, in which order
  Table table_;
  std::optional<JsonWriter> json_;  // the open document of ListingFormat::json
  std::size_t rows_ = 0;
};

}  // namespace pievt::render
