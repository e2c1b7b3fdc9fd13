// The Arrow stream, taken apart again with nothing but its own schema: framing, alignment, buffers.
// Somebody else's reader looks at it in tests/export.
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/zstd_codec.h"
#include "tests/tools/exporters/sample_run.h"
#include "tools/exporters/arrow/arrow_ipc_generated.h"
#include "tools/exporters/arrow/stream.h"
#include "tools/exporters/redacted_source.h"

namespace pievt::tools {
namespace {

namespace wire = pievt::arrow_ipc;
using arrow::Column;
using arrow::Kind;
using arrow::Nulls;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// One message: the FlatBuffer, in aligned memory, and its body.
struct Message {
  std::vector<std::uint64_t> memory;
  std::string body;

  const wire::Message& get() const { return *wire::GetMessage(memory.data()); }
};

std::uint32_t number_at(std::string_view stream, std::size_t at) {
  std::uint32_t number = 0;
  EXPECT_LE(at + sizeof(number), stream.size());
  std::memcpy(&number, stream.data() + at, sizeof(number));
  return number;
}

// Every message but the end, which has to be there.
std::vector<Message> messages_of(std::string_view stream) {
  std::vector<Message> messages;
  std::size_t at = 0;
  while (at + 8 <= stream.size()) {
    EXPECT_EQ(number_at(stream, at), 0xffffffffu);
    const std::size_t size = number_at(stream, at + 4);
    at += 8;
    if (size == 0) break;
    EXPECT_EQ(size % 8, 0u);
    Message message;
    message.memory.resize(size / 8);
    std::memcpy(message.memory.data(), stream.data() + at, size);
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(message.memory.data()),
                                   size);
    EXPECT_TRUE(verifier.VerifyBuffer<wire::Message>());
    at += size;
    const auto body_size = static_cast<std::size_t>(message.get().bodyLength());
    EXPECT_EQ(body_size % 8, 0u);
    message.body = stream.substr(at, body_size);
    EXPECT_EQ(message.body.size(), body_size);
    at += body_size;
    messages.push_back(std::move(message));
  }
  EXPECT_EQ(at, stream.size());
  return messages;
}

// What a buffer of a batch holds.
std::string content_of(const Message& message, unsigned place) {
  const wire::Buffer* buffer = message.get().header_as_RecordBatch()->buffers()->Get(place);
  if (buffer->length() == 0) return {};
  EXPECT_EQ(buffer->offset() % 8, 0);
  const std::string bytes = message.body.substr(static_cast<std::size_t>(buffer->offset()),
                                                static_cast<std::size_t>(buffer->length()));
  std::int64_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  const std::string rest = bytes.substr(sizeof(size));
  if (size == -1) return rest;
  const auto raw = decompress(std::as_bytes(std::span(rest)), static_cast<std::size_t>(size));
  EXPECT_TRUE(raw.ok());
  return raw.ok() ? std::string(reinterpret_cast<const char*>(raw->data()), raw->size()) : "";
}

std::string everything_in(std::string_view stream) {
  std::string all;
  for (const Message& message : messages_of(stream)) {
    const wire::RecordBatch* batch = message.get().header_as_RecordBatch();
    if (batch == nullptr) {
      for (const auto* pair : *message.get().header_as_Schema()->custom_metadata())
        all += pair->value()->str();
      continue;
    }
    for (unsigned i = 0; i < batch->buffers()->size(); ++i) all += content_of(message, i);
  }
  return all;
}

TEST(ArrowStream, SchemaAndValuesAreWhereTheFormatWantsThem) {
  std::vector<Column> columns;
  columns.emplace_back(arrow::ColumnSpec{"n", Kind::uint32, Nulls::allowed});
  columns.emplace_back(arrow::ColumnSpec{"text", Kind::utf8, Nulls::never});
  render::StringWriter out;
  arrow::StreamWriter stream(out);
  stream.begin(columns, {});
  for (std::uint64_t i = 0; i < 1000; ++i) {
    if (i % 10 == 9) {
      columns[0].add_null();
    } else {
      columns[0].add(i);
    }
    columns[1].add(std::string_view("the same text again and again").substr(0, i % 8));
  }
  ASSERT_TRUE(stream.batch(columns));
  stream.end();

  const std::vector<Message> messages = messages_of(out.text());
  ASSERT_EQ(messages.size(), 2u);
  const wire::Schema& schema = *messages[0].get().header_as_Schema();
  ASSERT_EQ(schema.fields()->size(), 2u);
  EXPECT_TRUE(schema.fields()->Get(0)->nullable());
  EXPECT_EQ(schema.fields()->Get(0)->type_as_Int()->bitWidth(), 32);
  EXPECT_EQ(schema.fields()->Get(1)->type_type(), wire::Type::Utf8);
  EXPECT_THAT(*schema.features(), ElementsAre(2));

  const Message& message = messages[1];
  const wire::RecordBatch& batch = *message.get().header_as_RecordBatch();
  EXPECT_EQ(batch.length(), 1000);
  EXPECT_EQ(batch.compression()->codec(), wire::CompressionType::ZSTD);
  EXPECT_EQ(batch.nodes()->Get(0)->null_count(), 100);
  ASSERT_EQ(batch.buffers()->size(), 5u);
  const std::string validity = content_of(message, 0);
  EXPECT_EQ(validity.size(), 125u);
  EXPECT_EQ(static_cast<unsigned char>(validity[1]), 0b11111101);  // rows 8 to 15, 9 is null
  const std::string numbers = content_of(message, 1);
  EXPECT_EQ(numbers.size(), 4000u);
  EXPECT_EQ(number_at(numbers, 4 * 998), 998u);
  EXPECT_EQ(batch.buffers()->Get(2)->length(), 0);  // nothing is null, so nothing says it
  const std::string offsets = content_of(message, 3);
  EXPECT_EQ(offsets.size(), 4004u);
  EXPECT_EQ(number_at(offsets, 4000), content_of(message, 4).size());
}

// What zstd would make larger stays as it is, behind -1.
TEST(ArrowStream, ABufferThatDoesNotShrinkIsLeftAlone) {
  std::vector<Column> columns;
  columns.emplace_back(arrow::ColumnSpec{"text", Kind::utf8, Nulls::never});
  columns[0].add("short");
  render::StringWriter out;
  arrow::StreamWriter stream(out);
  stream.begin(columns, {});
  ASSERT_TRUE(stream.batch(columns));
  stream.end();
  const Message batch = messages_of(out.text()).back();
  EXPECT_EQ(batch.body.substr(static_cast<std::size_t>(
                                  batch.get().header_as_RecordBatch()->buffers()->Get(2)->offset()),
                              8),
            std::string(8, '\xff'));
  EXPECT_EQ(content_of(batch, 2), "short");
}

class ArrowExport : public StoreTest {
 protected:
  ArrowExport() {
    open();
    sample_ = write_sample(log());
  }
  SampleRun sample_;
};

TEST_F(ArrowExport, ALongRunIsSeveralBatchesAndEveryEventIsARow) {
  std::vector<NewEvent> events;
  for (int i = 0; i < 9000; ++i) {
    schema::TurnEndedT turn;
    turn.turn = static_cast<std::uint32_t>(i) + 2;
    events.push_back(
        {std::move(turn), {.job = 1, .attempt = 1}, {.causation = {1}, .correlation = {}}});
  }
  ASSERT_TRUE(log().append(run_stream(sample_.id), Expected::any(), std::move(events)).ok());
  const auto run = open_run(log(), sample_.id);
  ASSERT_TRUE(run.ok());
  const Exported done = exported("arrow", **run);
  const std::vector<Message> messages = messages_of(done.text);
  EXPECT_EQ(messages.size(), 1u + 3u);
  std::int64_t rows = 0;
  for (const Message& message : std::span(messages).subspan(1)) {
    const wire::RecordBatch& batch = *message.get().header_as_RecordBatch();
    EXPECT_LE(batch.length(), 4096);
    rows += batch.length();
  }
  EXPECT_EQ(static_cast<std::uint64_t>(rows), done.manifest.events_in);
  EXPECT_EQ(done.manifest.items_out, done.manifest.events_in);
  EXPECT_THAT(everything_in(done.text),
              HasSubstr(R"("events_sha256":")" + done.manifest.events_digest));
}

// The law of all formats looks at the bytes as they are; here they are compressed.
TEST_F(ArrowExport, NothingIsLeftOfWhatIsRedacted) {
  const auto whole = open_run(log(), sample_.id);
  ASSERT_TRUE(whole.ok());
  EXPECT_THAT(everything_in(exported("arrow", **whole).text), HasSubstr("contract: out"));
  Redactions counts;
  const auto bare = redacted(**whole, counts);
  ExportOptions options;
  options.redactions = &counts;
  const std::string all = everything_in(exported("arrow", *bare, options).text);
  for (const std::string_view gone : {"sk-live", "Seven.", "contract: out"})
    EXPECT_THAT(all, Not(HasSubstr(gone)));
}

TEST_F(ArrowExport, TypesOfLaterVersionsAreRows) {
  append_unknown(log(), sample_.id);
  const auto run = open_run(log(), sample_.id);
  ASSERT_TRUE(run.ok());
  EXPECT_THAT(everything_in(exported("arrow", **run).text), HasSubstr("unknown(200)"));
}

}  // namespace
}  // namespace pievt::tools
