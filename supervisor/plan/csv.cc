// See csv.h.
#include "supervisor/plan/csv.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "supervisor/plan/limits.h"

namespace pievt::plan {
namespace {

class Reader {
 public:
  Reader(const Source& source, Problems& problems)
      : source_(source), text_(source.text()), problems_(problems), at_(source.mark_bytes()) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t at() const { return at_; }

  /// Leaves out one empty line if there is one.
  bool skip_empty_line() { return take("\r\n") || take("\n"); }

  /// The record here and its line's end, or nothing after noting a problem.
  std::optional<CsvRecord> record() {
    CsvRecord record{{}, at_};
    do {
      if (record.fields.size() == limits::csv_columns_max)
        return slip(at_, fmt::format("a record of more than {} fields", limits::csv_columns_max));
      const auto value = text_.substr(at_).starts_with('"') ? quoted() : plain();
      if (!value) return std::nullopt;
      record.fields.push_back(std::move(*value));
    } while (take(","));
    if (!at_end() && !take("\r\n") && !take("\n"))
      return slip(at_, "a comma or the end of the line was expected after this field");
    return record;
  }

 private:
  bool take(std::string_view text) {
    if (!text_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }

  std::nullopt_t slip(std::size_t offset, std::string sentence) {
    problems_.add({&source_, offset}, std::move(sentence));
    return std::nullopt;
  }

  std::optional<CsvField> plain() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(",\n\"", at_), text_.size());
    if (text_.substr(at_).starts_with('"'))
      return slip(at_, "a quote inside a field; put the field in quotes and double this one");
    std::size_t end = at_;
    if (end < text_.size() && text_[end] == '\n' && end > begin && text_[end - 1] == '\r') {
      --end;
      at_ = end;
    }
    return CsvField{std::string(text_.substr(begin, end - begin)), begin};
  }

  std::optional<CsvField> quoted() {
    CsvField field{{}, at_++};
    for (;;) {
      const std::size_t quote = text_.find('"', at_);
      if (quote == std::string_view::npos)
        return slip(field.offset, "a field in quotes is not closed before the end of the file");
      field.value += text_.substr(at_, quote - at_);
      at_ = quote + 1;
      if (!take("\"")) return field;
      field.value += '"';
    }
  }

  const Source& source_;
  std::string_view text_;
  Problems& problems_;
  std::size_t at_;
};

}  // namespace

std::vector<CsvRecord> read_csv(const Source& source, std::size_t records_max, Problems& problems) {
  std::vector<CsvRecord> records;
  Reader reader(source, problems);
  std::size_t fields = 0;
  while (!reader.at_end()) {
    if (reader.skip_empty_line()) continue;
    if (records.size() == records_max) {
      problems.add({&source, reader.at()}, fmt::format("more than {} records", records_max));
      break;
    }
    auto record = reader.record();
    if (!record) break;
    fields += record->fields.size();
    if (fields > limits::csv_fields_max) {
      problems.add({&source, record->offset},
                   fmt::format("more than {} fields", limits::csv_fields_max));
      break;
    }
    records.push_back(std::move(*record));
  }
  return records;
}

}  // namespace pievt::plan
