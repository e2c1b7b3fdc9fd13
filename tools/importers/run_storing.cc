#include "tools/importers/run_storing.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "pievt/query.h"
#include "store/format/hash.h"
#include "store/format/reflect_walk.h"
#include "tools/importers/run_teller.h"

namespace pievt::tools {
namespace {

std::string key_of(const schema::Digest& digest) {
  return {reinterpret_cast<const char*>(&digest), sizeof(digest)};
}

// Where in a body the digests of BlobRefs are.
class DigestPlaces final : public reflect::Visitor {
 public:
  std::vector<const std::byte*> found;

  void begin_object(const reflect::ObjectType& type) override {
    in_blob_ = type.short_name() == "BlobRef";
  }
  void end_object() override { in_blob_ = false; }
  void begin_array(std::size_t) override {}
  void end_array() override {}
  void field(const reflect::Field&) override {}
  void value(const reflect::Value& value) override {
    const auto* raw = std::get_if<reflect::Bytes>(&value);
    if (raw != nullptr && in_blob_ && raw->bytes.size() == sizeof(schema::Digest))
      found.push_back(raw->bytes.data());
  }

 private:
  bool in_blob_ = false;
};

// What was appended when `view` was stored.
NewEvent appended_as(const EventView& view, Payload payload) {
  const schema::Head& head = view.head();
  return {std::move(payload),
          {head.job(), head.attempt(), head.gate(), head.worker(), head.artifact(), head.message()},
          {{head.causation()}, {head.correlation()}},
          head.occurred_ns()};
}

// The generated structs have no setters; a Head is written anew in its place.
void set_time(const schema::Envelope& envelope, std::uint64_t time_ns) {
  const schema::Head& h = *envelope.head();
  const_cast<schema::Head&>(h) = schema::Head(
      h.causation(), h.correlation(), time_ns, h.causation_stream(), h.principal(), h.job(),
      h.attempt(), h.gate(), h.worker(), h.artifact(), h.message(), h.reserved0(), h.reserved1());
}

}  // namespace

std::string RunStoring::stream() const {
  return run_stream(run_id_);
}

Status RunStoring::begin() {
  head_ = PIEVT_TRY(log_.stream_head(stream())).value;
  if (head_ == 0) return {};
  EventReader reader = log_.read_stream(stream(), {1}, {head_});
  while (reader.next()) {
    const auto* chunk = reader.event().envelope->payload_as_OutputCaptured();
    if (chunk == nullptr || chunk->content() == nullptr) continue;
    const schema::Head& head = reader.event().head();
    stored_chunks_.insert_or_assign(
        ChunkPlace{head.job(), head.attempt(), chunk->channel(), chunk->chunk()},
        chunk->content()->digest());
  }
  PIEVT_TRY(reader.status());
  stored_.emplace(log_.read_stream(stream(), {1}, {head_}));
  return {};
}

Status RunStoring::stamps(const OriginalStamps& all, const Provenance& from) {
  const std::string beside = import_stream(run_id_);
  std::uint64_t covered = 0;
  bool imported = false;
  EventReader reader = log_.read_stream(beside, {1});
  while (reader.next()) {
    const auto* artifact = reader.event().envelope->payload_as_ArtifactRecorded();
    if (artifact == nullptr || artifact->content() == nullptr) continue;
    const std::vector<std::byte> bytes = PIEVT_TRY(log_.get_blob(*artifact->content()));
    const OriginalStamps stamps = PIEVT_TRY(OriginalStamps::from_bytes(bytes));
    covered = std::max(covered, stamps.first.value + stamps.stamps.size() - 1);
    imported = true;
  }
  PIEVT_TRY(reader.status());
  if (!imported) covered = head_;  // what is there was written here
  if (covered >= all.stamps.size()) return {};

  OriginalStamps news{{covered + 1}, all.actors, {}};
  news.stamps.assign(all.stamps.begin() + static_cast<std::ptrdiff_t>(covered), all.stamps.end());
  const std::vector<std::byte> bytes = news.to_bytes();
  schema::ImportStartedT started;
  started.source_kind = "pievt";
  started.path = from.path;
  started.pievt_version = from.pievt_version;
  schema::ArtifactRecordedT recorded;
  recorded.kind = schema::ArtifactKind::file;
  recorded.name = "stamps";
  recorded.reason = "the stamps these events had in the store they come from";
  recorded.size = bytes.size();
  recorded.content =
      std::make_unique<schema::BlobRef>(PIEVT_TRY(log_.put_blob(bytes, schema::BlobKind::bytes)));
  schema::ImportFinishedT finished;
  finished.runs = 1;
  finished.records = all.stamps.size();
  finished.files = 1;
  finished.bytes = from.bytes;
  std::vector<NewEvent> events;
  events.push_back({std::move(started)});
  events.push_back({std::move(recorded)});
  events.push_back({std::move(finished)});
  const AppendId id = derived_append_id(beside, covered, sha256(bytes));
  PIEVT_TRY(log_.append(beside, Expected::any(), std::move(events), {.id = id}));
  return {};
}

Status RunStoring::text(const schema::Digest& named, std::span<const std::byte> content,
                        schema::BlobKind kind) {
  texts_.insert_or_assign(key_of(named), PIEVT_TRY(log_.put_blob(content, kind)).digest());
  return {};
}

Status RunStoring::output(const OutputPiece& piece) {
  const ChunkPlace place{piece.job, piece.attempt, piece.channel, piece.chunk};
  if (stored_chunks_.contains(place) && !restores_output_) return {};
  const bool follows = writer_ && !piece.restart && writing_.job == piece.job &&
                       writing_.attempt == piece.attempt && writing_.channel == piece.channel &&
                       writer_->offset() == piece.offset;
  if (!follows) {
    writing_ = {run_id_, piece.job, piece.attempt, piece.channel};
    writer_.emplace(writing_, piece.chunk, piece.offset);
  }
  auto written = PIEVT_TRY(writer_->write(log_, packer_, piece.content));
  if (written.size() != 1)
    return Error{Errc::corrupt, "a chunk of output does not fit where it was"};
  chunks_.insert_or_assign(place, std::move(written.front()));
  return {};
}

// The digests of this store in the places of those the run came with. A text that did not come
// keeps its name, which then names nothing.
Status RunStoring::rename(std::span<std::byte> body, const reflect::Schema& schema,
                          const EventView& event) {
  DigestPlaces places;
  PIEVT_TRY(reflect::walk(schema, body, places));
  const schema::Digest* chunk = nullptr;
  if (const auto* captured = event.envelope->payload_as_OutputCaptured()) {
    const auto here = chunks_.find(
        {event.head().job(), event.head().attempt(), captured->channel(), captured->chunk()});
    if (here != chunks_.end()) chunk = &here->second.content->digest();
  }
  for (const std::byte* place : places.found) {
    const auto found = texts_.find({reinterpret_cast<const char*>(place), sizeof(schema::Digest)});
    const schema::Digest* digest = found != texts_.end() ? &found->second : chunk;
    if (digest != nullptr)
      std::memcpy(body.data() + (place - body.data()), digest, sizeof(*digest));
  }
  return {};
}

// The body this store gets, from one whose digests are this store's already.
Status RunStoring::encode(EventView view, std::vector<std::byte>& body) {
  std::optional<Payload> payload = unpack(view);
  std::optional<NewEvent> event;
  if (payload) {
    event = appended_as(view, std::move(*payload));
    std::vector<std::byte> again;
    const std::size_t size = encoder_.append(*event, again);
    if (size != view.body.size() || std::memcmp(again.data(), view.body.data(), size) != 0)
      event.reset();
  }
  if (!event) {
    if (unknown_ == Unknown::refused)
      return Error{Errc::too_new, fmt::format("event #{} says more than this version understands; "
                                              "import it with the version that wrote it",
                                              view.revision().value)};
    set_time(*view.envelope, view.time_ns());
    body.assign(view.body.begin(), view.body.end());
    return {};
  }
  event->occurred_ns = view.time_ns();
  if (auto* captured = event->payload.as<schema::OutputCapturedT>()) {
    const ChunkPlace place{view.head().job(), view.head().attempt(), captured->channel,
                           captured->chunk};
    if (const auto here = chunks_.find(place); here != chunks_.end()) {
      captured->content = std::make_unique<schema::BlobRef>(*here->second.content);
      captured->restart = here->second.restart;
    } else if (const auto there = stored_chunks_.find(place);
               there != stored_chunks_.end() && captured->content != nullptr) {
      const schema::BlobRef& was = *captured->content;
      captured->content = std::make_unique<schema::BlobRef>(there->second, was.size(), was.key(),
                                                            was.kind(), was.reserved());
    }
  }
  body.clear();
  body.resize(encoder_.append(*event, body));
  return {};
}

// The run is in the store as far as here, or something else is under its id.
Status RunStoring::compare(std::span<const std::byte> body) {
  if (!stored_->next()) return stored_->status();
  const EventView& there = stored_->event();
  std::vector<std::byte> same(there.body.begin(), there.body.end());
  if (std::optional<Payload> payload = unpack(there)) {
    NewEvent event = appended_as(there, std::move(*payload));
    event.occurred_ns = there.time_ns();
    std::vector<std::byte> again;
    again.resize(encoder_.append(event, again));
    // What says more than this version understands was stored as it was.
    if (again.size() == same.size()) same = std::move(again);
  }
  if (std::ranges::equal(same, body)) return {};
  return Error{Errc::conflict,
               fmt::format("the store has another run under the id {}: event #{} differs", run_id_,
                           revision_)};
}

Status RunStoring::event(const EventView& event, const reflect::Schema& schema) {
  // Bodies are read in place and must be aligned.
  std::vector<std::uint64_t> words((event.body.size() + 7) / 8);
  const auto copy = std::as_writable_bytes(std::span(words)).first(event.body.size());
  std::memcpy(copy.data(), event.body.data(), event.body.size());
  PIEVT_TRY(rename(copy, schema, event));
  const auto offset = reinterpret_cast<const std::byte*>(event.envelope) - event.body.data();
  std::vector<std::byte> body;
  PIEVT_TRY(
      encode({event.sequence, event.stamp,
              reinterpret_cast<const schema::Envelope*>(copy.data() + offset), copy, event.id},
             body));
  revision_ = event.revision().value;
  if (revision_ <= head_) return compare(body);
  const bool same_append = !group_sizes_.empty() && event.id.append == group_id_.append &&
                           event.id.index == group_id_.index + group_sizes_.size() &&
                           group_sizes_.size() < limits::append_events_max / 10;
  if (!same_append) {
    PIEVT_TRY(append_group(Durability::wal));
    group_id_ = event.id;
  }
  group_sizes_.push_back(static_cast<std::uint32_t>(body.size()));
  group_bodies_.insert(group_bodies_.end(), body.begin(), body.end());
  group_bodies_.resize((group_bodies_.size() + 7) / 8 * 8);
  return {};
}

// Under the id the append had, where nothing here has it, so that events keep their ids.
Status RunStoring::append_group(Durability durability) {
  if (group_sizes_.empty()) return {};
  const Revision before{head_ + appended_};
  const AppendId derived = derived_append_id(stream(), before.value, sha256(group_bodies_));
  EncodedAppend::Impl parts;
  parts.id = group_id_.index == 0 ? group_id_.append : derived;
  parts.durability = durability;
  parts.streams.push_back(
      {stream(), Expected::exactly(before), static_cast<std::uint32_t>(group_sizes_.size())});
  for (const std::uint32_t size : group_sizes_) parts.events.push_back({0, size});
  parts.bodies = std::move(group_bodies_);
  EncodedAppend::Impl again = parts;
  const EncodedAppend append = PIEVT_TRY(EncodedAppend::Impl::assemble(std::move(parts)));
  Result<Appended> done = log_.append(append);
  if (!done.ok() && done.error().code == Errc::id_reused) {
    again.id = derived;
    const EncodedAppend renamed = PIEVT_TRY(EncodedAppend::Impl::assemble(std::move(again)));
    done = log_.append(renamed);
  }
  if (!done.ok()) return std::move(done).error();
  appended_ += group_sizes_.size();
  group_sizes_.clear();
  group_bodies_.clear();
  return {};
}

// The last append makes everything before it as durable as events are.
Status RunStoring::finish() {
  return append_group(Durability::fsync);
}

ImportedRun imported_run(const std::string& run_id, const RunState& state) {
  ImportedRun run;
  run.run_id = run_id;
  run.status = state.phase == state::RunPhase::finished ? schema::EnumNameRunEnding(state.ending)
                                                        : state::EnumNameRunPhase(state.phase);
  for (const auto& job : state.jobs) {
    const bool over = job->phase == state::JobPhase::finished;
    ++run.jobs[over ? schema::EnumNameJobStatus(job->status) : state::EnumNameJobPhase(job->phase)];
    run.attempts += static_cast<std::uint32_t>(job->attempts.size());
  }
  run.files = 1;
  return run;
}

}  // namespace pievt::tools
