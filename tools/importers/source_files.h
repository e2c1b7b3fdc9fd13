// The files of a foreign directory, read whole and as they are. Links are not followed and nothing
// but regular files is opened: what is imported is what lies in the directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "store/format/hash.h"
#include "tools/importers/importer.h"

namespace pievt::tools {

/// One file in memory, with the bytes behind it that simdjson wants.
struct SourceFile {
  std::string name;  ///< relative to the directory
  simdjson::padded_string bytes;
  std::string_view text() const { return {bytes.data(), bytes.size()}; }
};

class SourceFiles {
 public:
  /// Lists and reads everything below `directory`, sorted by name. What cannot be read becomes an
  /// anomaly and is absent.
  static SourceFiles load(const std::filesystem::path& directory,
                          std::vector<FoundAnomaly>& anomalies);

  const std::vector<SourceFile>& all() const { return files_; }
  /// Null where there is no such file.
  const SourceFile* find(std::string_view name) const;
  /// Whether anything lies below `directory`, which ends with a slash.
  bool has_below(std::string_view directory) const;
  std::uint64_t bytes() const;
  /// Of all names and contents: the same directory has the same digest wherever it lies.
  Digest digest() const;

 private:
  std::vector<SourceFile> files_;
};

/// A line of a file: from 1, where it begins, its bytes without the line's end.
struct SourceLine {
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  std::string_view text;
  bool ended = true;  ///< false: the file ends before a line feed
};

/// The lines of `text` that are not blank. A carriage return before the line feed is no part of
/// one.
std::vector<SourceLine> lines_of(std::string_view text);

}  // namespace pievt::tools
