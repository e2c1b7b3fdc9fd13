// CSV as RFC 4180 has it, with line feeds: what spreadsheets, awk and pandas all read.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pievt::render {

/// `text` as one field: quoted when it contains a comma, a quote, a line break or an outer space,
/// with quotes doubled. Bytes are kept as they are.
std::string csv_field(std::string_view text);

/// One record with its line feed. A record of one empty field is `""`, since an empty line is no
/// record.
std::string csv_record(std::span<const std::string> fields);

}  // namespace pievt::render
