// A table for people: aligned columns that fit the terminal. Away from a terminal nothing is ever
// cut, so that `pievt ... | grep` finds what is there. A cell is text plus the name of a style,
// never text with codes in it: the table makes the text harmless itself, and measuring needs no
// parsing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/render/terminal.h"
#include "tools/render/width.h"

namespace pievt::render {

/// What a column does when the table is too wide for the terminal and its turn has come. `drop`
/// shrinks to its minimum and, when that is not enough, leaves before a more important column
/// shrinks; the table says below itself which columns left.
enum class Narrow : std::uint8_t { keep, shrink, drop };

struct Column {
  std::string title;
  Align align = Align::left;
  Narrow narrow = Narrow::keep;
  int width_min = 4;   ///< columns of the screen that `shrink` and `drop` leave it
  int width_max = 0;   ///< on a terminal never wider than this; 0 is no limit
  int importance = 0;  ///< the least important column gives way first; equal ones from the right
};

struct Cell {
  Cell(std::string content, Style look = Style::plain)  // NOLINT(google-explicit-constructor)
      : text(std::move(content)), style(look) {}
  Cell(std::string_view content, Style look = Style::plain)  // NOLINT(google-explicit-constructor)
      : Cell(std::string(content), look) {}
  Cell(const char* content, Style look = Style::plain)  // NOLINT(google-explicit-constructor)
      : Cell(std::string(content), look) {}

  std::string text;
  Style style;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Adds a row. Missing cells are empty; more cells than columns is a bug.
  void row(std::vector<Cell> cells);

  std::size_t rows() const { return rows_.size(); }

  /// Titles, then the rows, one line each. Columns stand two spaces apart, lines end without
  /// spaces, and a table without rows is empty text: say in words that there is nothing. Titles are
  /// left out when all of them are empty.
  std::string render(const Terminal& terminal) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace pievt::render
