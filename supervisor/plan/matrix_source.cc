// See matrix_source.h.
#include "supervisor/plan/matrix_source.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "supervisor/plan/csv.h"
#include "supervisor/plan/ids.h"
#include "supervisor/plan/json_tree.h"
#include "supervisor/plan/parse.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

Var text_var(std::string value) {
  return {{std::move(value)}, Var::Shape::text};
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

/// The name without its last ending; a name that only begins with a dot keeps it.
std::string_view stem(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

/// Ids that are taken, and for each wanted one the number that would make the next one differ.
struct TakenIds {
  std::set<std::string> ids;
  std::map<std::string, std::size_t> next_number;
};

/// `wanted`, or with -2, -3, … so that it differs from all ids before.
std::string made_unique(const std::string& wanted, TakenIds& taken) {
  std::size_t& number = taken.next_number.try_emplace(wanted, 2).first->second;
  std::string id = wanted;
  while (!taken.ids.insert(id).second) {
    const std::string suffix = fmt::format("-{}", number++);
    id = wanted.substr(0, limits::id_bytes_max - suffix.size()) + suffix;
  }
  return id;
}

std::vector<Written> rows_of_glob(const Text& pattern, PlanFiles& files, Problems& problems) {
  const auto paths = files.files().glob(pattern.value, limits::jobs_max);
  if (!paths.ok()) {
    problems.add(pattern.place,
                 fmt::format("the pattern {} {}", shown(pattern.value), paths.error().what));
    return {};
  }
  if (paths->empty())
    problems.add(pattern.place,
                 fmt::format("the pattern {} matches no file", shown(pattern.value)));
  std::vector<Written> rows;
  TakenIds taken;
  for (const std::string& path : *paths) {
    if (invalid_utf8_at(path) != std::string::npos) {
      problems.add(pattern.place, fmt::format("the pattern {} matches {}, whose name is not UTF-8",
                                              shown(pattern.value), shown(path)));
      continue;
    }
    const std::string_view name = file_name(path);
    Written row;
    row.place = pattern.place;
    row.id = Text{made_unique(made_safe(stem(name)), taken), pattern.place};
    row.label = fmt::format("matrix row {}", shown(row.id->value));
    row.vars["path"] = text_var(path);
    row.vars["name"] = text_var(std::string(name));
    row.vars["stem"] = text_var(std::string(stem(name)));
    rows.push_back(std::move(row));
  }
  return rows;
}

/// The position of the column "id" in the header, or nothing after noting a problem.
std::optional<std::size_t> check_header(const Source& source, const CsvRecord& header,
                                        Problems& problems) {
  std::optional<std::size_t> id;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const CsvField& field = header.fields[i];
    if (is_blank(field.value)) {
      problems.add({&source, field.offset}, "a column of the first line has no name");
    } else if (!seen.insert(field.value).second) {
      problems.add({&source, field.offset},
                   fmt::format("the column {} is there twice", shown(field.value)));
    }
    if (field.value == "id") id = i;
  }
  if (!id) problems.add({&source, header.offset}, "the first line needs a column \"id\"");
  return id;
}

std::vector<Written> rows_of_csv(const Source& source, Problems& problems) {
  const std::size_t problems_before = problems.count();
  const auto records = read_csv(source, limits::jobs_max + 1, problems);
  if (records.size() < 2 && problems.count() == problems_before)
    problems.add({&source, source.mark_bytes()},
                 "needs a first line with the names of the columns and at least one row after it");
  if (records.empty()) return {};
  const CsvRecord& header = records.front();
  const auto id = check_header(source, header, problems);
  if (!id) return {};
  std::vector<Written> rows;
  for (std::size_t i = 1; i < records.size(); ++i) {
    const CsvRecord& record = records[i];
    if (record.fields.size() != header.fields.size()) {
      problems.add({&source, record.offset},
                   fmt::format("the number of fields is {}, and in the first line {}",
                               record.fields.size(), header.fields.size()));
      continue;
    }
    Written row;
    row.place = {&source, record.offset};
    row.id =
        Text{record.fields[*id].value, {&source, record.fields[*id].offset}, Text::Spelling::plain};
    row.label = fmt::format("matrix row {}", shown(row.id->value));
    for (std::size_t column = 0; column < header.fields.size(); ++column)
      row.vars[header.fields[column].value] = text_var(record.fields[column].value);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Written> rows_of_json_lines(const Source& source, Problems& problems) {
  const std::string_view text = source.text();
  std::vector<Written> rows;
  for (std::size_t begin = source.mark_bytes(); begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (!is_blank(text.substr(begin, end - begin))) {
      if (rows.size() == limits::jobs_max) {
        problems.add({&source, begin}, fmt::format("more than {} rows; a plan has at most {} jobs",
                                                   limits::jobs_max, limits::jobs_max));
        break;
      }
      Written row;
      row.place = {&source, begin};
      if (const auto tree = JsonTree::parse(source, begin, end, problems))
        row = parse_row(tree->root(), rows.size(), problems);
      rows.push_back(std::move(row));
    }
    begin = end + 1;
  }
  if (rows.empty()) problems.add({&source, source.mark_bytes()}, "needs at least one row");
  return rows;
}

}  // namespace

std::string PlanFiles::shown_name(const std::string& path) const {
  const std::size_t slash = plan_name_.rfind('/');
  if (path.starts_with('/') || slash == std::string::npos) return path;
  return plan_name_.substr(0, slash + 1) + path;
}

const Source* PlanFiles::text(const std::string& path, const Place& named_at, std::string_view what,
                              std::size_t bytes_max) {
  if (const auto known = read_.find(path); known != read_.end()) return known->second;
  const Source*& source = read_[path];
  auto bytes = files_.read(path, bytes_max);
  if (!bytes.ok()) {
    problems_.add(named_at, fmt::format("the {} {} {}", what, shown(path), bytes.error().what));
    return nullptr;
  }
  const std::size_t wrong = std::min(invalid_utf8_at(*bytes), bytes->find('\0'));
  source = &sources_.add(shown_name(path), std::move(*bytes));
  if (wrong == std::string::npos) return source;
  problems_.add({source, wrong}, fmt::format("the {} must be UTF-8 text", what));
  return source = nullptr;
}

std::vector<Written> read_matrix(const MatrixFile& matrix, PlanFiles& files, Problems& problems) {
  const Text& path = matrix.path;
  if (matrix.kind == MatrixFile::Kind::glob) return rows_of_glob(path, files, problems);
  const Source* source = files.text(path.value, path.place, "matrix file", limits::file_bytes_max);
  if (source == nullptr) return {};
  return matrix.kind == MatrixFile::Kind::csv ? rows_of_csv(*source, problems)
                                              : rows_of_json_lines(*source, problems);
}

}  // namespace pievt::plan
