#include "supervisor/capture/channel.h"

#include <algorithm>

#include "supervisor/capture/excerpt.h"

namespace pievt::supervisor {
static_assert(output_chunk_bytes == process::limits::read_bytes_max, "read again is a chunk");

namespace {

// So much may wait for a round that has time for it. A flood is stored as it comes.
constexpr std::uint64_t unstored_bytes_max = 2 * output_chunk_bytes;

}  // namespace

Channel::Channel(process::FollowFile follow, OutputKey key, std::uint32_t chunks,
                 std::uint64_t stored)
    : pace(process::Pace::from(process::Clock::now())),
      follow_(std::move(follow)),
      key_(key),
      writer_(std::move(key), chunks, stored) {}

Result<Channel> Channel::open(const std::filesystem::path& path, OutputKey key,
                              std::uint32_t chunks, std::uint64_t stored) {
  return Channel(PIEVT_TRY(process::FollowFile::open(path, stored)), std::move(key), chunks,
                 stored);
}

Result<std::uint64_t> Channel::pump(RunRecord& record, CaptureTools& tools, Subject subject,
                                    std::size_t bytes_max, const Sink& sink) {
  std::uint64_t bytes = 0;
  while (!broken_ && bytes < bytes_max) {
    const auto unread = follow_.unread();
    if (!unread.ok()) {
      PIEVT_TRY(record_tampering(record, subject, unread.error()));
      break;
    }
    const std::uint64_t waiting = unstored();
    const std::uint64_t space = output_chunk_bytes - waiting % output_chunk_bytes;
    const std::uint64_t wanted = std::min(*unread, space);
    // In a flood the rest waits until it is a whole chunk, too.
    if (wanted == 0 || (bytes > 0 && wanted < output_chunk_bytes)) break;
    const auto news = follow_.read_new(tools.buffer, wanted);
    if (!news.ok()) {
      PIEVT_TRY(record_tampering(record, subject, news.error()));
      break;
    }
    bytes += news->size();
    PIEVT_TRY(sink(*news));
    if (waiting == 0 && news->size() == output_chunk_bytes)
      PIEVT_TRY(store(record, tools, subject, *news));
    if (!broken_ && unstored() >= unstored_bytes_max) PIEVT_TRY(store_next(record, tools, subject));
  }
  while (!broken_ && unstored() >= output_chunk_bytes && tools.chunks_left > 0) {
    --tools.chunks_left;
    PIEVT_TRY(store_next(record, tools, subject));
  }
  return bytes;
}

std::uint64_t Channel::unread() const {
  if (broken_) return 0;
  const auto unread = follow_.unread();
  return unread.ok() ? *unread : 1;
}

Status Channel::store(RunRecord& record, CaptureTools& tools, Subject subject,
                      std::span<const std::byte> raw) {
  auto events = PIEVT_TRY(writer_.write(record.log(), tools.packer, raw));
  for (schema::OutputCapturedT& event : events)
    PIEVT_TRY(record.propose({std::move(event), subject}));
  return {};
}

Status Channel::store_next(RunRecord& record, CaptureTools& tools, Subject subject) {
  const auto raw = follow_.read_again(tools.buffer, writer_.offset());
  if (!raw.ok()) return record_tampering(record, subject, raw.error());
  return store(record, tools, subject, *raw);
}

Status Channel::record_tampering(RunRecord& record, Subject subject, const Error& error) {
  broken_ = true;
  schema::OutputAnomalyObservedT anomaly;
  anomaly.channel = key_.channel;
  anomaly.anomaly = schema::OutputAnomaly::file_tampered;
  anomaly.offset = follow_.offset();
  anomaly.excerpt = one_line(error.what);
  anomaly.count = 1;
  PIEVT_TRY(record.propose({std::move(anomaly), subject}));
  return {};
}

Status Channel::store_rest(RunRecord& record, CaptureTools& tools, Subject subject) {
  do {
    if (!broken_) PIEVT_TRY(store_next(record, tools, subject));
  } while (!broken_ && unstored() > 0);
  return {};
}

Status Channel::release_stored() {
  if (broken_) return {};
  PIEVT_TRY(follow_.release_before(writer_.offset()));
  return {};
}

}  // namespace pievt::supervisor
