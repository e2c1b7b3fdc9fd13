#include "store/log/output_store.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/keys.h"
#include "store/format/zstd_codec.h"
#include "store/log/log_impl.h"

namespace pievt {
namespace {

Error damaged(const OutputKey& key, std::uint32_t chunk, std::string_view what) {
  return {Errc::corrupt, fmt::format("{} of run {}, job {}, attempt {}: chunk {} {}",
                                     schema::EnumNameOutputChannel(key.channel), key.run, key.job,
                                     key.attempt, chunk, what)};
}

}  // namespace

std::string output_chunk_key(const OutputKey& key, std::uint32_t chunk) {
  std::string text = "o" + key.run;
  text.push_back('\0');
  format::put_u32(text, key.job);
  format::put_u32(text, key.attempt);
  text.push_back(static_cast<char>(key.channel));
  format::put_u32(text, chunk);
  return text;
}

struct OutputPacker::Impl {
  PrimedCompressor compressor;
};

OutputPacker::OutputPacker() : impl_(std::make_unique<Impl>()) {}
OutputPacker::OutputPacker(OutputPacker&&) noexcept = default;
OutputPacker& OutputPacker::operator=(OutputPacker&&) noexcept = default;
OutputPacker::~OutputPacker() = default;

struct OutputWriter::Impl {
  OutputKey key;
  std::uint32_t chunk;
  std::uint64_t offset;
  ChunkChain chain;
};

OutputWriter::OutputWriter(OutputKey key, std::uint32_t chunk, std::uint64_t offset)
    : impl_(new Impl{std::move(key), chunk, offset, {}}) {}
OutputWriter::OutputWriter(OutputWriter&&) noexcept = default;
OutputWriter& OutputWriter::operator=(OutputWriter&&) noexcept = default;
OutputWriter::~OutputWriter() = default;

std::uint64_t OutputWriter::offset() const {
  return impl_->offset;
}

Result<std::vector<schema::OutputCapturedT>> OutputWriter::write(Log& log, OutputPacker& packer,
                                                                 std::span<const std::byte> raw) {
  std::vector<schema::OutputCapturedT> events;
  while (!raw.empty()) {
    const PackedChunk packed = PIEVT_TRY(packer.impl().compressor.pack(impl_->chain, raw));
    const auto content = raw.first(packed.raw_bytes);
    PIEVT_TRY(log.impl().put_value(Family::blobs, output_chunk_key(impl_->key, impl_->chunk),
                                   text_of(packed.frame)));

    schema::OutputCapturedT event;
    event.channel = impl_->key.channel;
    event.chunk = impl_->chunk++;
    event.offset = impl_->offset;
    event.size = content.size();
    event.content =
        std::make_unique<schema::BlobRef>(to_schema(log.impl().blobs().digest_of(content)),
                                          content.size(), 0, schema::BlobKind::output_chunk, 0);
    event.restart = packed.start == ChunkStart::restarts;
    events.push_back(std::move(event));
    impl_->offset += content.size();
    raw = raw.subspan(packed.raw_bytes);
  }
  return events;
}

Result<std::uint64_t> read_output(const Log& log, const OutputKey& key, const AttemptState& attempt,
                                  const std::function<Status(std::span<const std::byte>)>& sink) {
  PIEVT_TRY(log.impl().blobs().key_state());
  PrimedDecompressor decompressor;
  ChunkChain chain;
  std::uint64_t bytes = 0;
  auto reader =
      log.read_stream(run_stream(key.run), {attempt.first_revision}, {attempt.last_revision});
  while (reader.next()) {
    const EventView& event = reader.event();
    const auto* captured = event.envelope->payload_as_OutputCaptured();
    const bool wanted = captured != nullptr && event.head().job() == key.job &&
                        event.head().attempt() == key.attempt && captured->channel() == key.channel;
    if (!wanted) continue;
    const std::uint32_t chunk = captured->chunk();
    const auto stored =
        PIEVT_TRY(log.impl().rocks().get(Family::blobs, output_chunk_key(key, chunk)));
    if (!stored) return damaged(key, chunk, "is not in the store");
    const auto start = captured->restart() ? ChunkStart::restarts : ChunkStart::continues;
    const auto raw =
        decompressor.unpack(chain, start, std::as_bytes(std::span(*stored)), captured->size());
    if (!raw.ok()) return damaged(key, chunk, raw.error().what);
    const bool intact =
        captured->content() != nullptr &&
        log.impl().blobs().digest_of(*raw) == from_schema(captured->content()->digest());
    if (!intact) return damaged(key, chunk, "is not what was captured");
    PIEVT_TRY(sink(*raw));
    bytes += raw->size();
  }
  PIEVT_TRY(reader.status());
  return bytes;
}

}  // namespace pievt
