#include "store/trust/body_checks.h"

#include <cstring>

#include <fmt/format.h>

#include "store/format/blob_refs.h"
#include "store/log/output_store.h"

namespace pievt {
namespace {

Severity severity_of(const Error& error) {
  return error.code == Errc::not_found ? Severity::missing : Severity::damaged;
}

std::string_view run_of(std::string_view stream) {
  return stream.starts_with("run/") ? stream.substr(4) : std::string_view();
}

}  // namespace

void BodyChecks::event(const EventView& event, Sequence page, const reflect::Schema* schema,
                       const std::string& stream) {
  const Place place{page, event.sequence, stream, event.revision()};
  findings_->examined(Check::events);
  const auto blobs =
      blobs_of(schema != nullptr ? *schema : reflect::Schema::embedded_events(), event.body);
  if (!blobs.ok()) {
    findings_->damaged(Check::events, place, blobs.error().what);
  } else {
    for (const FoundBlob& blob : *blobs) {
      // Chunks of output lie elsewhere, and need the ones before them.
      if (blob.ref.kind() != schema::BlobKind::output_chunk) body(blob.ref, blob.field, place);
    }
  }
  if (const auto* captured = event.envelope->payload_as_OutputCaptured()) {
    chunk(*captured, event, place);
  } else if (event.type() == schema::Payload::AttemptClassified) {
    const ChannelKey low{event.stamp->stream(), event.head().job(), event.head().attempt(), {}};
    ChannelKey high = low;
    ++high.attempt;
    channels_.erase(channels_.lower_bound(low), channels_.lower_bound(high));
  }
}

void BodyChecks::body(const schema::BlobRef& ref, const std::string& field, const Place& place) {
  std::uint64_t mark = 0;
  std::memcpy(&mark, &ref.digest(), sizeof(mark));
  mark ^= ref.size() * 0x9e3779b97f4a7c15u;  // two sizes of one digest cannot both be right
  if (!seen_.insert(mark).second) return;
  findings_->examined(Check::bodies);
  if (const auto content = log_->blobs().get(ref); !content.ok()) {
    findings_->report(Check::bodies, severity_of(content.error()), place,
                      fmt::format("{}: {}", field, content.error().what));
  }
}

void BodyChecks::chunk(const schema::OutputCaptured& captured, const EventView& event,
                       const Place& place) {
  const std::string_view run = run_of(place.stream);
  if (run.empty()) return;
  findings_->examined(Check::output);
  const OutputKey key{std::string(run), event.head().job(), event.head().attempt(),
                      captured.channel()};
  Channel& channel = channels_[{event.stamp->stream(), key.job, key.attempt, key.channel}];
  const auto report = [&](Severity severity, std::string_view what) {
    findings_->report(
        Check::output, severity, place,
        fmt::format("chunk {} of {} of job {}, attempt {}, {}", captured.chunk(),
                    schema::EnumNameOutputChannel(key.channel), key.job, key.attempt, what));
    channel.readable = false;
  };

  const bool follows =
      captured.chunk() == channel.next_chunk && captured.offset() == channel.offset;
  channel.next_chunk = captured.chunk() + 1;
  channel.offset = captured.offset() + captured.size();
  if (!follows) report(Severity::damaged, "does not follow the one before it");

  const auto start = captured.restart() ? ChunkStart::restarts : ChunkStart::continues;
  if (start == ChunkStart::restarts) channel.readable = true;
  const auto stored = log_->rocks().get(Family::blobs, output_chunk_key(key, captured.chunk()));
  if (!stored.ok()) return report(Severity::damaged, stored.error().what);
  if (!*stored)
    return report(Severity::missing, "is not in the store, nor can what builds on it be read");
  if (!channel.readable) return;

  const auto raw = decompressor_.unpack(channel.chain, start, std::as_bytes(std::span(**stored)),
                                        captured.size());
  if (!raw.ok()) return report(Severity::damaged, raw.error().what);
  if (captured.content() == nullptr ||
      log_->blobs().digest_of(*raw) != from_schema(captured.content()->digest())) {
    report(Severity::damaged, "is not what was captured");
  }
}

}  // namespace pievt
