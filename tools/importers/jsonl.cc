// The second look at a jsonl export, in which the run is stored. Bodies stay byte for byte what
// they were but for two things that belong to a store and not to a run: the digests that name texts
// are made with the key of the store they lie in, and the time of an event, which the exporting
// store had in its stamp, moves into the body. The stamps themselves go beside (import_stream), and
// open_run() puts them back.
#include "tools/importers/jsonl.h"

#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "pievt/query.h"
#include "store/format/codec.h"
#include "store/format/hash.h"
#include "store/format/reflect_walk.h"
#include "tools/exporters/jsonl.h"
#include "tools/importers/jsonl_check.h"
#include "tools/importers/jsonl_lines.h"
#include "tools/importers/run_teller.h"

namespace pievt::tools::jsonl {
namespace {

using ChunkPlace = std::tuple<std::uint32_t, std::uint32_t, schema::OutputChannel, std::uint32_t>;

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
    if (raw != nullptr && in_blob_ && raw->bytes.size() == sizeof(Digest))
      found.push_back(raw->bytes.data());
  }

 private:
  bool in_blob_ = false;
};

class Storing {
 public:
  Storing(Log& log, const Contents& contents) : log_(log), contents_(contents) {}

  Status begin();
  Status take(const ExportLines& lines);
  Status finish();
  std::uint64_t appended() const { return appended_; }
  std::uint64_t head_before() const { return head_; }

 private:
  Status blob(const simdjson::dom::element& line);
  Status output(const simdjson::dom::element& line);
  Status event(const simdjson::dom::element& line);
  Status rename_blobs(EventLine& line);
  Result<NewEvent> as_new(EventLine& line);
  Status compare(const NewEvent& event);
  Status append_group(Durability durability);
  std::string stream() const { return run_stream(contents_.run_id); }

  Log& log_;
  const Contents& contents_;
  std::uint64_t head_ = 0, revision_ = 0, appended_ = 0;
  std::optional<EventReader> stored_;  ///< what the store has of the run already
  std::string blob_;
  std::map<std::string, schema::BlobRef> blobs_;  ///< by the digest the file has, in hexadecimal
  std::map<ChunkPlace, schema::OutputCapturedT> chunks_;
  std::map<ChunkPlace, schema::Digest> stored_chunks_;
  std::optional<OutputWriter> writer_;
  OutputKey writing_;
  OutputPacker packer_;
  format::BodyEncoder encoder_;
  std::vector<NewEvent> group_;
  EventId group_id_;
};

// Before the first event: if this is interrupted, events without their stamps are worse than stamps
// without events.
Status store_stamps(Log& log, const Contents& contents, std::uint64_t head,
                    const std::string& pievt_version, const std::string& path) {
  const std::string stream = import_stream(contents.run_id);
  std::uint64_t covered = 0;
  bool imported = false;
  EventReader reader = log.read_stream(stream, {1});
  while (reader.next()) {
    const auto* artifact = reader.event().envelope->payload_as_ArtifactRecorded();
    if (artifact == nullptr || artifact->content() == nullptr) continue;
    const std::vector<std::byte> bytes = PIEVT_TRY(log.get_blob(*artifact->content()));
    const OriginalStamps stamps = PIEVT_TRY(OriginalStamps::from_bytes(bytes));
    covered = std::max(covered, stamps.first.value + stamps.stamps.size() - 1);
    imported = true;
  }
  PIEVT_TRY(reader.status());
  if (!imported) covered = head;  // what is there was written here
  if (covered >= contents.events) return {};

  OriginalStamps stamps{{covered + 1}, contents.stamps.actors, {}};
  stamps.stamps.assign(contents.stamps.stamps.begin() + static_cast<std::ptrdiff_t>(covered),
                       contents.stamps.stamps.end());
  const std::vector<std::byte> bytes = stamps.to_bytes();
  schema::ImportStartedT started;
  started.source_kind = "pievt";
  started.path = path;
  started.pievt_version = pievt_version;
  schema::ArtifactRecordedT recorded;
  recorded.kind = schema::ArtifactKind::file;
  recorded.name = "stamps";
  recorded.reason = "the stamps these events had in the store they come from";
  recorded.size = bytes.size();
  recorded.content =
      std::make_unique<schema::BlobRef>(PIEVT_TRY(log.put_blob(bytes, schema::BlobKind::bytes)));
  schema::ImportFinishedT finished;
  finished.runs = 1;
  finished.records = contents.events;
  finished.files = 1;
  finished.bytes = contents.bytes;
  std::vector<NewEvent> events(3);
  events[0].payload = std::move(started);
  events[1].payload = std::move(recorded);
  events[2].payload = std::move(finished);
  const AppendId id = derived_append_id(stream, covered, sha256(bytes));
  PIEVT_TRY(log.append(stream, Expected::any(), std::move(events), {.id = id}));
  return {};
}

Status Storing::begin() {
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

Status Storing::take(const ExportLines& lines) {
  if (lines.record() == "blob") return blob(lines.line());
  if (lines.record() == "output") return output(lines.line());
  if (lines.record() == "event") return event(lines.line());
  return {};
}

Status Storing::blob(const simdjson::dom::element& line) {
  const BlobLine part = PIEVT_TRY(BlobLine::parse(line));
  blob_ += part.content;
  if (blob_.size() < part.size) return {};
  blobs_.insert_or_assign(part.digest, PIEVT_TRY(log_.put_blob(blob_, part.kind)));
  blob_.clear();
  return {};
}

Status Storing::output(const simdjson::dom::element& line) {
  const OutputLine chunk = PIEVT_TRY(OutputLine::parse(line));
  const ChunkPlace place{chunk.job, chunk.attempt, chunk.channel, chunk.chunk};
  if (stored_chunks_.contains(place)) return {};
  const bool follows = writer_ && !chunk.restart && writing_.job == chunk.job &&
                       writing_.attempt == chunk.attempt && writing_.channel == chunk.channel &&
                       writer_->offset() == chunk.offset;
  if (!follows) {
    writing_ = {contents_.run_id, chunk.job, chunk.attempt, chunk.channel};
    writer_.emplace(writing_, chunk.chunk, chunk.offset);
  }
  auto written = PIEVT_TRY(writer_->write(log_, packer_, chunk.content));
  if (written.size() != 1)
    return Error{Errc::corrupt, "a chunk of output does not fit where it was"};
  chunks_.insert_or_assign(place, std::move(written.front()));
  return {};
}

// The digests of this store in the places of those the file came with. A text that did not come
// keeps its name, which then names nothing.
Status Storing::rename_blobs(EventLine& line) {
  DigestPlaces places;
  PIEVT_TRY(reflect::walk(reflect::Schema::embedded_events(), line.body(), places));
  for (const std::byte* place : places.found) {
    const auto found = blobs_.find(hex({place, sizeof(Digest)}));
    if (found == blobs_.end()) continue;
    std::byte* to = line.body().data() + (place - line.body().data());
    std::memcpy(to, &found->second.digest(), sizeof(Digest));
  }
  return {};
}

Result<NewEvent> Storing::as_new(EventLine& line) {
  PIEVT_TRY(rename_blobs(line));
  const EventView view = line.view();
  const schema::Head& head = view.head();
  NewEvent event;
  event.payload = *unpack(view);
  event.subject = {head.job(),    head.attempt(),  head.gate(),
                   head.worker(), head.artifact(), head.message()};
  event.cause = {{head.causation()}, {head.correlation()}};
  event.occurred_ns = head.occurred_ns();
  std::vector<std::byte> again;
  const std::size_t size = encoder_.append(event, again);
  if (size != view.body.size() || std::memcmp(again.data(), view.body.data(), size) != 0) {
    return Error{Errc::too_new, fmt::format("event #{} says more than this version understands; "
                                            "import it with the version that wrote it",
                                            view.revision().value)};
  }
  event.occurred_ns = view.time_ns();
  if (auto* captured = std::get_if<schema::OutputCapturedT>(&event.payload)) {
    const ChunkPlace place{head.job(), head.attempt(), captured->channel, captured->chunk};
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
  return event;
}

// The run is in the store as far as here, or something else is under its id.
Status Storing::compare(const NewEvent& event) {
  if (!stored_->next()) return stored_->status();
  const EventView& there = stored_->event();
  NewEvent same;
  const std::optional<Payload> payload = unpack(there);
  const schema::Head& head = there.head();
  const Error other{Errc::conflict,
                    fmt::format("the store has another run under the id {}: event #{} differs",
                                contents_.run_id, revision_)};
  if (!payload) return other;
  same.payload = *payload;
  same.subject = {head.job(),    head.attempt(),  head.gate(),
                  head.worker(), head.artifact(), head.message()};
  same.cause = {{head.causation()}, {head.correlation()}};
  same.occurred_ns = there.time_ns();
  std::vector<std::byte> one, two;
  encoder_.append(event, one);
  encoder_.append(same, two);
  if (one != two) return other;
  return {};
}

Status Storing::event(const simdjson::dom::element& line) {
  EventLine parsed = PIEVT_TRY(EventLine::parse(line));
  NewEvent event = PIEVT_TRY(as_new(parsed));
  revision_ = parsed.view().revision().value;
  if (revision_ <= head_) return compare(event);
  const EventId id = parsed.view().id;
  const bool same_append = !group_.empty() && id.append == group_id_.append &&
                           id.index == group_id_.index + group_.size() &&
                           group_.size() < limits::append_events_max / 10;
  if (!same_append) {
    PIEVT_TRY(append_group(Durability::wal));
    group_id_ = id;
  }
  group_.push_back(std::move(event));
  return {};
}

// Under the id the append had, where nothing here has it, so that events keep their ids.
Status Storing::append_group(Durability durability) {
  if (group_.empty()) return {};
  const Revision before{head_ + appended_};
  std::vector<std::byte> bodies;
  for (const NewEvent& event : group_) encoder_.append(event, bodies);
  const AppendId derived = derived_append_id(stream(), before.value, sha256(bodies));
  AppendOptions options;
  options.id = group_id_.index == 0 ? group_id_.append : derived;
  options.durability = durability;
  const StreamEvents events{stream(), Expected::exactly(before), std::move(group_)};
  Result<Appended> done = log_.append(std::span(&events, 1), options);
  if (!done.ok() && done.error().code == Errc::id_reused) {
    options.id = derived;
    done = log_.append(std::span(&events, 1), options);
  }
  if (!done.ok()) return std::move(done).error();
  appended_ += events.events.size();
  group_.clear();
  return {};
}

// The last append makes everything before it as durable as events are.
Status Storing::finish() {
  return append_group(Durability::fsync);
}

ImportedRun told(const Contents& contents) {
  ImportedRun run;
  run.run_id = contents.run_id;
  run.status = contents.state.phase == state::RunPhase::finished
                   ? schema::EnumNameRunEnding(contents.state.ending)
                   : state::EnumNameRunPhase(contents.state.phase);
  for (const auto& job : contents.state.jobs) {
    const bool over = job->phase == state::JobPhase::finished;
    ++run.jobs[over ? schema::EnumNameJobStatus(job->status) : state::EnumNameJobPhase(job->phase)];
    run.attempts += static_cast<std::uint32_t>(job->attempts.size());
  }
  run.records = contents.lines;
  run.files = 1;
  run.bytes = contents.bytes;
  return run;
}

}  // namespace

bool recognises(const std::filesystem::path& path) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return false;
  std::string begin(64, '\0');
  std::ifstream(path, std::ios::binary).read(begin.data(), static_cast<std::streamsize>(64));
  return begin.starts_with(fmt::format(R"({{"schema":"{}",)", jsonl_schema));
}

Result<ImportReport> read(Log* log, const std::filesystem::path& path,
                          const ImportOptions& options) {
  const Contents contents = PIEVT_TRY(check(path));
  ImportReport report;
  report.source_kind = "pievt";
  ImportedRun& run = report.runs.emplace_back(told(contents));
  run.events = contents.events;
  if (log == nullptr) return report;

  Storing storing(*log, contents);
  PIEVT_TRY(storing.begin());
  PIEVT_TRY(
      store_stamps(*log, contents, storing.head_before(), options.pievt_version, path.string()));
  ExportLines lines = PIEVT_TRY(ExportLines::open(path));
  std::uint64_t line = 0;
  while (PIEVT_TRY(lines.next())) {
    if (const Status stored = storing.take(lines); !stored.ok())
      return lines.at_line(stored.error());
    if (options.progress && ++line % 1000 == 0) options.progress(line, contents.lines);
  }
  PIEVT_TRY(storing.finish());
  run.events = storing.appended();
  run.outcome = storing.appended() == 0      ? RunImport::unchanged
                : storing.head_before() == 0 ? RunImport::imported
                                             : RunImport::continued;
  return report;
}

}  // namespace pievt::tools::jsonl
