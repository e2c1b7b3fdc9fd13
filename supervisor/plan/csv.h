// Comma separated values, RFC 4180: fields in double quotes may hold commas, line breaks and,
// doubled, quotes; lines end with CRLF or LF. Stricter than most readers, because a slip in a quote
// otherwise moves half a file into one field.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "supervisor/plan/source.h"

namespace pievt::plan {

struct CsvField {
  std::string value;
  std::size_t offset;
};

struct CsvRecord {
  std::vector<CsvField> fields;  ///< never empty
  std::size_t offset;
};

/// At most `records_max` records of at most limits::csv_columns_max fields, limits::csv_fields_max
/// in all; reading ends, noted in `problems`, at the first slip or one past a limit. Lines with
/// nothing in them are left out. The text must be UTF-8.
std::vector<CsvRecord> read_csv(const Source& source, std::size_t records_max, Problems& problems);

}  // namespace pievt::plan
