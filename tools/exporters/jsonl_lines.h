// What a window of a jsonl export becomes: its lines, ready to be written, and what the manifest
// is to hear of them. Lines are made by any thread and written by one, in the order of the windows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/exporters/exporter.h"
#include "tools/exporters/jsonl_window.h"

namespace pievt::tools {

/// The records of one text, part by part.
class JsonlText {
 public:
  /// `content` must live longer. SHA-256 of all of it is made here.
  JsonlText(const schema::BlobRef& ref, std::string_view content);

  /// Appends the line of the next part. An empty text has one.
  void append_part(std::string& lines);
  bool is_over() const { return over_; }

 private:
  std::string front_;
  std::string_view content_;
  std::size_t part_ = 0;
  bool over_ = false;
};

struct JsonlLines {
  /// A text that is too large to be held twice; its lines are made when they are written.
  struct Large {
    std::size_t at = 0;    ///< before which byte of `bytes` they belong
    std::size_t text = 0;  ///< which of the window's
  };

  std::string bytes;
  std::vector<Large> large;
  std::uint64_t count = 0;          ///< of the lines in `bytes`
  std::uint64_t texts_missing = 0;  ///< those that are not in the source
  std::optional<Error> end;         ///< why the window's lines end here

  void clear();
  /// Writes and counts them. `window` is the one they were made of. The error is that of `end`, or
  /// io where `work.out` takes no more.
  Status write(Export& work, const JsonlWindow& window) const;
};

/// Appends a number behind the text that goes before it.
void append_number(std::string& lines, std::string_view name, std::uint64_t value);

}  // namespace pievt::tools
