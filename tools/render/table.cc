// Layout first, text second: `Layout` decides each column's width (or that it leaves) from the
// natural widths alone; writing the lines then only cuts and fills.
#include "tools/render/table.h"

#include <algorithm>
#include <numeric>

#include "pievt/result.h"
#include "tools/render/sanitise.h"

namespace pievt::render {
namespace {

constexpr int gap = 2;
constexpr int gone = -1;

std::vector<int> natural_widths(const std::vector<Column>& columns,
                                const std::vector<std::vector<Cell>>& rows) {
  std::vector<int> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    int width = display_width(columns[i].title);
    for (const auto& row : rows) width = std::max(width, display_width(row[i].text));
    widths.push_back(width);
  }
  return widths;
}

int total(const std::vector<int>& widths) {
  int sum = 0;
  int present = 0;
  for (const int width : widths) {
    if (width == gone) continue;
    sum += width;
    ++present;
  }
  return sum + gap * std::max(0, present - 1);
}

// Indexes of the columns, the first to give way in front.
std::vector<std::size_t> giving_way(const std::vector<Column>& columns) {
  std::vector<std::size_t> order(columns.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::reverse(order);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return columns[i].importance; });
  return order;
}

std::vector<int> fit(const std::vector<Column>& columns, std::vector<int> widths, int width) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].width_max > 0) widths[i] = std::min(widths[i], columns[i].width_max);
  }
  for (const std::size_t i : giving_way(columns)) {
    const int excess = total(widths) - width;
    if (excess <= 0) break;
    if (columns[i].narrow == Narrow::keep) continue;
    widths[i] = std::min(widths[i], std::max(widths[i] - excess, columns[i].width_min));
    if (columns[i].narrow == Narrow::drop && total(widths) > width) widths[i] = gone;
  }
  return widths;
}

// A column that left makes room; the ones that shrank take it back, the most important first.
std::vector<int> regrow(const std::vector<Column>& columns, const std::vector<int>& natural,
                        std::vector<int> widths, int width) {
  std::vector<std::size_t> order = giving_way(columns);
  std::ranges::reverse(order);
  for (const std::size_t i : order) {
    const int room = width - total(widths);
    if (room <= 0) break;
    if (widths[i] == gone) continue;
    int wanted = natural[i];
    if (columns[i].width_max > 0) wanted = std::min(wanted, columns[i].width_max);
    widths[i] = std::max(widths[i], std::min(wanted, widths[i] + room));
  }
  return widths;
}

std::string line_of(const std::vector<Column>& columns, const std::vector<Cell>& cells,
                    const std::vector<int>& widths, const Terminal& terminal) {
  std::string line;
  std::size_t owed = 0;  // spaces that are written only when something follows
  bool first = true;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (widths[i] == gone) continue;
    if (!first) owed += gap;
    first = false;
    const std::string text = cut_to_width(cells[i].text, widths[i], terminal.cut_mark());
    const auto missing = static_cast<std::size_t>(std::max(0, widths[i] - display_width(text)));
    if (columns[i].align == Align::right) owed += missing;
    if (!text.empty()) {
      line.append(owed, ' ');
      owed = 0;
      line += styled(terminal, cells[i].style, text);
    }
    if (columns[i].align == Align::left) owed += missing;
  }
  line += '\n';
  return line;
}

std::string absent_columns(const std::vector<Column>& columns, const std::vector<int>& widths,
                           const Terminal& terminal) {
  std::string names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (widths[i] != gone) continue;
    names += (names.empty() ? "" : ", ") + columns[i].title;
  }
  if (names.empty()) return "";
  return styled(terminal, Style::dim, "(not shown at this width: " + names + ")") + "\n";
}

}  // namespace

void Table::row(std::vector<Cell> cells) {
  PIEVT_ASSERT(cells.size() <= columns_.size());
  cells.resize(columns_.size(), Cell(""));
  for (Cell& cell : cells) cell.text = one_line(cell.text);
  rows_.push_back(std::move(cells));
}

std::string Table::render(const Terminal& terminal) const {
  if (rows_.empty()) return "";
  const std::vector<int> natural = natural_widths(columns_, rows_);
  std::vector<int> widths = natural;
  if (terminal.is_tty) {
    widths = regrow(columns_, natural, fit(columns_, natural, terminal.width), terminal.width);
  }

  std::string out;
  const bool titled =
      std::ranges::any_of(columns_, [](const Column& column) { return !column.title.empty(); });
  if (titled) {
    std::vector<Cell> titles;
    for (const Column& column : columns_) titles.emplace_back(column.title, Style::bold);
    out += line_of(columns_, titles, widths, terminal);
  }
  for (const auto& cells : rows_) out += line_of(columns_, cells, widths, terminal);
  return out + absent_columns(columns_, widths, terminal);
}

}  // namespace pievt::render
