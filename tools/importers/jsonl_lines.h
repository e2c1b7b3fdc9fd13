// The lines of a `jsonl` export, read one after the other: what each says, checked as far as one
// line can be. The file is not trusted; every error names the line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "pievt/run_source.h"

namespace pievt::tools {

/// An event as the file has it, in memory of its own.
class EventLine {
 public:
  static Result<EventLine> parse(const simdjson::dom::element& line);

  /// With the stamp of the store it comes from. Good as long as this object stays where it is.
  EventView view() const;
  std::span<std::byte> body() { return std::as_writable_bytes(std::span(words_)).first(size_); }
  OriginalStamp original() const;

 private:
  schema::Stamp stamp_;
  EventId id_;
  std::vector<std::uint64_t> words_;  ///< bodies are read in place and must be aligned
  std::size_t size_ = 0;
};

/// A text or a part of one.
struct BlobLine {
  std::string digest;  ///< as the file's events call it, in hexadecimal
  std::string sha256;
  schema::BlobKind kind = schema::BlobKind::unknown;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  std::string content;  ///< of this part
  static Result<BlobLine> parse(const simdjson::dom::element& line);
};

/// A chunk of captured output.
struct OutputLine {
  std::uint32_t job = 0, attempt = 0, chunk = 0;
  schema::OutputChannel channel = schema::OutputChannel::unknown;
  std::uint64_t offset = 0;
  bool restart = false;
  std::vector<std::byte> content;
  static Result<OutputLine> parse(const simdjson::dom::element& line);
};

Result<Actor> parse_actor(const simdjson::dom::element& line);

/// Walks through the file.
class ExportLines {
 public:
  static Result<ExportLines> open(const std::filesystem::path& path);

  /// The next line; false at the end of the file. corrupt: it is no JSON object with a `record`.
  Result<bool> next();
  const simdjson::dom::element& line() const { return line_; }
  std::string_view record() const { return record_; }
  std::uint64_t bytes() const { return bytes_; }

  /// `error` with the file and the line before its sentence.
  Error at_line(const Error& error) const;

 private:
  std::filesystem::path path_;
  std::ifstream file_;
  simdjson::dom::parser parser_;
  std::string text_;
  simdjson::dom::element line_;
  std::string record_;
  std::uint64_t number_ = 0, bytes_ = 0;
};

}  // namespace pievt::tools
