#include "tools/exporters/arrow/stream.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "pievt/bytes.h"
#include "store/format/zstd_codec.h"
#include "tools/exporters/arrow/arrow_ipc_generated.h"

namespace pievt::tools::arrow {
namespace {

namespace wire = pievt::arrow_ipc;

static_assert(std::endian::native == std::endian::little, "buffers are written as they lie");

/// Says that a message follows and no length of the format before 0.15.
constexpr std::uint32_t continuation = 0xffffffff;
constexpr std::size_t alignment = 8;
constexpr std::int64_t feature_compressed_body = 2;
/// In front of a buffer that is not compressed.
constexpr std::int64_t as_it_is = -1;
constexpr int compression_level = 3;

template <class Number>
std::string_view number_bytes(const Number& number) {
  return text_of(std::as_bytes(std::span(&number, 1)));
}

std::size_t padding(std::size_t size) {
  return (alignment - size % alignment) % alignment;
}

std::pair<wire::Type, flatbuffers::Offset<void>> type_of(flatbuffers::FlatBufferBuilder& builder,
                                                         Kind kind) {
  switch (kind) {
    case Kind::uint32:
      return {wire::Type::Int, wire::CreateInt(builder, 32, false).Union()};
    case Kind::uint64:
      return {wire::Type::Int, wire::CreateInt(builder, 64, false).Union()};
    case Kind::timestamp:
      return {wire::Type::Timestamp,
              wire::CreateTimestampDirect(builder, wire::TimeUnit::NANOSECOND, "UTC").Union()};
    case Kind::utf8:
      break;
  }
  return {wire::Type::Utf8, wire::CreateUtf8(builder).Union()};
}

std::span<const std::uint8_t> finish(flatbuffers::FlatBufferBuilder& builder,
                                     wire::MessageHeader type, flatbuffers::Offset<void> header,
                                     std::size_t body_bytes) {
  builder.Finish(wire::CreateMessage(builder, wire::MetadataVersion::V5, type, header,
                                     static_cast<std::int64_t>(body_bytes)));
  return {builder.GetBufferPointer(), builder.GetSize()};
}

// Appends a buffer to the body of a batch and says where it lies.
Result<wire::Buffer> append_buffer(std::string& body, std::span<const std::byte> raw) {
  const auto begin = static_cast<std::int64_t>(body.size());
  // An empty buffer has no size in front of it either.
  if (raw.empty()) return wire::Buffer(begin, 0);
  const std::vector<std::byte> frame = PIEVT_TRY(compress(raw, compression_level));
  const bool smaller = frame.size() < raw.size();
  body += number_bytes(smaller ? static_cast<std::int64_t>(raw.size()) : as_it_is);
  body += text_of(smaller ? std::span<const std::byte>(frame) : raw);
  const auto length = static_cast<std::int64_t>(body.size()) - begin;
  body.append(padding(body.size()), '\0');
  return wire::Buffer(begin, length);
}

}  // namespace

void Column::clear() {
  rows_ = nulls_ = 0;
  validity_.clear();
  values_.clear();
  offsets_.clear();
  if (spec_.kind == Kind::utf8) offsets_.push_back(0);
}

void Column::row(bool valid) {
  if (rows_ % 8 == 0) validity_.push_back(0);
  if (valid) validity_.back() = static_cast<std::uint8_t>(validity_.back() | (1u << (rows_ % 8)));
  ++rows_;
}

void Column::number(std::uint64_t value) {
  const std::size_t size = spec_.kind == Kind::uint32 ? sizeof(std::uint32_t) : sizeof(value);
  const auto bytes = std::as_bytes(std::span(&value, 1)).first(size);
  values_.insert(values_.end(), bytes.begin(), bytes.end());
}

void Column::add(std::uint64_t number) {
  PIEVT_ASSERT(spec_.kind != Kind::utf8);
  row(true);
  this->number(number);
}

void Column::add(std::string_view text) {
  PIEVT_ASSERT(spec_.kind == Kind::utf8);
  row(true);
  const auto bytes = std::as_bytes(std::span(text));
  values_.insert(values_.end(), bytes.begin(), bytes.end());
  offsets_.push_back(static_cast<std::int32_t>(values_.size()));
}

void Column::add_null() {
  PIEVT_ASSERT(spec_.nulls == Nulls::allowed);
  row(false);
  ++nulls_;
  if (spec_.kind == Kind::utf8) {
    offsets_.push_back(static_cast<std::int32_t>(values_.size()));
  } else {
    number(0);
  }
}

std::vector<std::span<const std::byte>> Column::buffers() const {
  std::vector<std::span<const std::byte>> all;
  all.push_back(nulls_ == 0 ? std::span<const std::byte>() : std::as_bytes(std::span(validity_)));
  if (spec_.kind == Kind::utf8) all.push_back(std::as_bytes(std::span(offsets_)));
  all.emplace_back(values_);
  return all;
}

void StreamWriter::message(std::span<const std::uint8_t> flatbuffer) {
  const std::size_t pad = padding(flatbuffer.size());
  out_.write(number_bytes(continuation));
  out_.write(number_bytes(static_cast<std::uint32_t>(flatbuffer.size() + pad)));
  out_.write(text_of(std::as_bytes(flatbuffer)));
  out_.write(std::string_view("\0\0\0\0\0\0\0", pad));
}

void StreamWriter::begin(std::span<const Column> columns,
                         std::span<const std::pair<std::string, std::string>> metadata) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<wire::Field>> fields;
  const std::vector<flatbuffers::Offset<wire::Field>> no_children;
  for (const Column& column : columns) {
    const ColumnSpec& spec = column.spec();
    const auto [type, table] = type_of(builder, spec.kind);
    const auto name = builder.CreateString(spec.name.data(), spec.name.size());
    const auto children = builder.CreateVector(no_children);
    fields.push_back(
        wire::CreateField(builder, name, spec.nulls == Nulls::allowed, type, table, 0, children));
  }
  std::vector<flatbuffers::Offset<wire::KeyValue>> pairs;
  for (const auto& [key, value] : metadata)
    pairs.push_back(
        wire::CreateKeyValue(builder, builder.CreateString(key), builder.CreateString(value)));
  const std::vector<std::int64_t> features = {feature_compressed_body};
  const auto schema =
      wire::CreateSchemaDirect(builder, wire::Endianness::Little, &fields, &pairs, &features);
  message(finish(builder, wire::MessageHeader::Schema, schema.Union(), 0));
}

Status StreamWriter::batch(std::span<const Column> columns) {
  std::vector<wire::FieldNode> nodes;
  std::vector<wire::Buffer> buffers;
  body_.clear();
  for (const Column& column : columns) {
    PIEVT_ASSERT(column.rows() == columns.front().rows());
    nodes.emplace_back(static_cast<std::int64_t>(column.rows()),
                       static_cast<std::int64_t>(column.nulls()));
    for (const auto raw : column.buffers()) buffers.push_back(PIEVT_TRY(append_buffer(body_, raw)));
  }
  flatbuffers::FlatBufferBuilder builder;
  const auto compression = wire::CreateBodyCompression(builder, wire::CompressionType::ZSTD);
  const auto rows = static_cast<std::int64_t>(columns.front().rows());
  const auto batch = wire::CreateRecordBatchDirect(builder, rows, &nodes, &buffers, compression);
  message(finish(builder, wire::MessageHeader::RecordBatch, batch.Union(), body_.size()));
  out_.write(body_);
  return {};
}

void StreamWriter::end() {
  out_.write(number_bytes(continuation));
  out_.write(number_bytes(std::uint32_t{0}));
}

}  // namespace pievt::tools::arrow
