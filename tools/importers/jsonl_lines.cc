#include "tools/importers/jsonl_lines.h"

#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "store/format/codec.h"
#include "store/format/zstd_codec.h"
#include "tools/exporters/base64.h"
#include "tools/importers/json_fields.h"

namespace pievt::tools {
namespace {

// Longer lines than an export writes are no export: a text is cut at 1 MiB, escaped six times.
constexpr std::size_t line_bytes_max = 32u << 20;

Error lacks(std::string_view name) {
  return {Errc::corrupt, fmt::format("`{}` is missing or is not what it should be", name)};
}

// Numbers that exceed 2^53 are strings.
Result<std::uint64_t> number_of(const Json& line, std::string_view name) {
  if (const auto text = text_in(line, name)) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (failed == std::errc() && end == text->data() + text->size()) return value;
    return lacks(name);
  }
  const auto found = member(line, name);
  std::uint64_t value = 0;
  if (!found || found->get(value) != simdjson::SUCCESS) return lacks(name);
  return value;
}

Result<std::uint32_t> small_of(const Json& line, std::string_view name) {
  const std::uint64_t value = PIEVT_TRY(number_of(line, name));
  if (value > UINT32_MAX) return lacks(name);
  return static_cast<std::uint32_t>(value);
}

Result<std::string_view> text_of(const Json& line, std::string_view name) {
  const auto text = text_in(line, name);
  if (!text) return lacks(name);
  return *text;
}

template <class Enum, std::size_t N>
Result<Enum> named(const Json& line, std::string_view field, const Enum (&values)[N],
                   const char* (*name_of)(Enum)) {
  const std::string_view word = PIEVT_TRY(text_of(line, field));
  for (const Enum value : values)
    if (word == name_of(value)) return value;
  return lacks(field);
}

}  // namespace

Result<EventLine> EventLine::parse(const Json& line) {
  EventLine event;
  const std::string_view text = PIEVT_TRY(text_of(line, "body"));
  const std::vector<std::byte> body = PIEVT_TRY(from_base64(text));
  if (body.size() > limits::event_bytes_max) return lacks("body");
  event.size_ = body.size();
  event.words_.resize((body.size() + 7) / 8);
  if (!body.empty()) std::memcpy(event.words_.data(), body.data(), body.size());
  if (format::verified_envelope(event.body()) == nullptr)
    return Error{Errc::corrupt, "the body is no event"};
  const std::uint64_t revision = PIEVT_TRY(number_of(line, "revision"));
  const std::uint64_t recorded = PIEVT_TRY(number_of(line, "recorded_ns"));
  const std::uint64_t monotonic = PIEVT_TRY(number_of(line, "monotonic_ns"));
  const std::uint32_t actor = PIEVT_TRY(small_of(line, "actor"));
  event.stamp_ = schema::Stamp(0, actor, revision, recorded, monotonic,
                               static_cast<std::uint32_t>(body.size()), 0);
  const std::string_view append = PIEVT_TRY(text_of(line, "append"));
  event.id_.append = PIEVT_TRY(parse_append_id(append));
  event.id_.index = PIEVT_TRY(small_of(line, "index"));
  return event;
}

EventView EventLine::view() const {
  const auto bytes = std::as_bytes(std::span(words_)).first(size_);
  return {{}, &stamp_, schema::GetEnvelope(bytes.data()), bytes, id_};
}

OriginalStamp EventLine::original() const {
  return {stamp_.wall_ns(), stamp_.monotonic_ns(), stamp_.actor(),
          view().head().occurred_ns() == 0 ? OriginalStamp::Told::by_stamp
                                           : OriginalStamp::Told::by_author};
}

Result<BlobLine> BlobLine::parse(const Json& line) {
  BlobLine blob;
  blob.digest = PIEVT_TRY(text_of(line, "digest"));
  blob.sha256 = PIEVT_TRY(text_of(line, "sha256"));
  blob.kind =
      PIEVT_TRY(named(line, "kind", schema::EnumValuesBlobKind(), schema::EnumNameBlobKind));
  blob.size = PIEVT_TRY(number_of(line, "size"));
  blob.offset = PIEVT_TRY(number_of(line, "offset"));
  if (blob.size > limits::blob_bytes_max) return lacks("size");
  if (const auto text = text_in(line, "text")) {
    blob.content = *text;
  } else {
    const std::string_view coded = PIEVT_TRY(text_of(line, "base64"));
    const std::vector<std::byte> bytes = PIEVT_TRY(from_base64(coded));
    blob.content.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return blob;
}

Result<OutputLine> OutputLine::parse(const Json& line) {
  OutputLine output;
  output.job = PIEVT_TRY(small_of(line, "job"));
  output.attempt = PIEVT_TRY(small_of(line, "attempt"));
  output.chunk = PIEVT_TRY(small_of(line, "chunk"));
  output.channel = PIEVT_TRY(
      named(line, "channel", schema::EnumValuesOutputChannel(), schema::EnumNameOutputChannel));
  output.offset = PIEVT_TRY(number_of(line, "offset"));
  output.restart = truth_in(line, "restart").value_or(false);
  const std::uint64_t size = PIEVT_TRY(number_of(line, "size"));
  if (size > raw_chunk_bytes_max) return lacks("size");
  const std::string_view coded = PIEVT_TRY(text_of(line, "zstd"));
  const std::vector<std::byte> frame = PIEVT_TRY(from_base64(coded));
  output.content = PIEVT_TRY(decompress(frame, size));
  return output;
}

Result<Actor> parse_actor(const Json& line) {
  Actor actor;
  actor.number = PIEVT_TRY(small_of(line, "number"));
  actor.uid = PIEVT_TRY(small_of(line, "uid"));
  actor.pid = PIEVT_TRY(small_of(line, "pid"));
  actor.program = PIEVT_TRY(text_of(line, "program"));
  return actor;
}

Result<ExportLines> ExportLines::open(const std::filesystem::path& path) {
  ExportLines lines;
  lines.path_ = path;
  lines.file_.open(path, std::ios::binary);
  if (!lines.file_) return os_error(fmt::format("opening {}", path.string()), errno);
  return lines;
}

Result<bool> ExportLines::next() {
  if (!std::getline(file_, text_)) {
    if (file_.eof()) return false;
    return Error{Errc::io, fmt::format("reading {} failed", path_.string())};
  }
  ++number_;
  bytes_ += text_.size() + 1;
  if (text_.size() > line_bytes_max)
    return at_line({Errc::corrupt, "the line is longer than any an export has"});
  const bool parsed = parser_.parse(text_).get(line_) == simdjson::SUCCESS;
  const auto record = parsed ? text_in(line_, "record") : std::nullopt;
  if (!record) return at_line({Errc::corrupt, "that is no line of an export"});
  record_ = *record;
  return true;
}

Error ExportLines::at_line(const Error& error) const {
  return {error.code, fmt::format("{}:{}: {}", path_.string(), number_, error.what)};
}

}  // namespace pievt::tools
