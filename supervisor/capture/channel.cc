#include "supervisor/capture/channel.h"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"

namespace pievt::supervisor {
namespace {

// Exactly the bytes from `offset` on, or an error: they were there when they were read the first
// time.
Status read_exactly(int fd, std::span<std::byte> into, std::uint64_t offset) {
  while (!into.empty()) {
    const ssize_t got = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return os_error("cannot read captured output again", got < 0 ? errno : EIO);
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

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
    const auto news = follow_.read_new(tools.buffer);
    if (!news.ok()) {
      broken_ = true;
      schema::OutputAnomalyObservedT anomaly;
      anomaly.channel = key_.channel;
      anomaly.anomaly = schema::OutputAnomaly::file_tampered;
      anomaly.offset = follow_.offset();
      anomaly.excerpt = one_line(news.error().what);
      anomaly.count = 1;
      PIEVT_TRY(record.propose({std::move(anomaly), subject}));
      break;
    }
    if (news->empty()) break;
    bytes += news->size();
    PIEVT_TRY(sink(*news));
    if (follow_.offset() - writer_.offset() >= output_chunk_bytes) {
      PIEVT_TRY(store(record, tools, subject, writer_.offset() + output_chunk_bytes));
    }
  }
  return bytes;
}

Status Channel::store(RunRecord& record, CaptureTools& tools, Subject subject, std::uint64_t upto) {
  while (writer_.offset() < upto) {
    const std::uint64_t from = writer_.offset();
    tools.chunk.resize(std::min<std::uint64_t>(upto - from, output_chunk_bytes));
    PIEVT_TRY(read_exactly(follow_.fd(), tools.chunk, from));
    auto events = PIEVT_TRY(writer_.write(record.log(), tools.packer, tools.chunk));
    for (schema::OutputCapturedT& event : events)
      PIEVT_TRY(record.propose({std::move(event), subject}));
  }
  return {};
}

Status Channel::store_rest(RunRecord& record, CaptureTools& tools, Subject subject) {
  if (broken_) return {};
  return store(record, tools, subject, follow_.offset());
}

Status Channel::release_stored() {
  if (broken_) return {};
  PIEVT_TRY(follow_.release_before(writer_.offset()));
  return {};
}

}  // namespace pievt::supervisor
