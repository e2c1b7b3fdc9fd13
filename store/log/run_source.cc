// A run as a log has it. The schema of an event stands in the header of its page, which an
// EventView does not show; the page is looked up, but only in logs that more than one schema has
// been written to, so that the usual case costs nothing.
#include "pievt/run_source.h"

#include <cstring>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "pievt/query.h"
#include "store/log/log_impl.h"
#include "store/log/schema_registry.h"
#include "store/log/stored_page.h"

namespace pievt {
namespace {

// What the stream `store` tells: who wrote, and with which schemas.
struct StoreStory {
  std::map<std::uint32_t, Actor> actors;
  bool other_schemas = false;
};

Result<StoreStory> read_store_story(const Log& log) {
  StoreStory story;
  const Digest own = embedded_schema().digest;
  EventReader reader = log.read_stream("store", {1});
  while (reader.next()) {
    visit(reader.event(), overloaded{[&](const schema::ActorDeclared& declared) {
                                       Actor actor{declared.number(), declared.uid(), 0, {}};
                                       if (declared.process() != nullptr)
                                         actor.pid = declared.process()->pid();
                                       if (declared.program() != nullptr)
                                         actor.program = declared.program()->str();
                                       story.actors[actor.number] = std::move(actor);
                                     },
                                     [&](const schema::SchemaRegistered& registered) {
                                       if (registered.digest() == nullptr ||
                                           from_schema(*registered.digest()) != own)
                                         story.other_schemas = true;
                                     }});
  }
  PIEVT_TRY(reader.status());
  return story;
}

// The stamps of another store, where the run came from one.
Result<std::vector<OriginalStamps>> read_original_stamps(const Log& log, std::string_view run_id) {
  std::vector<OriginalStamps> all;
  EventReader reader = log.read_stream(import_stream(run_id), {1});
  while (reader.next()) {
    const auto* artifact = reader.event().envelope->payload_as_ArtifactRecorded();
    const bool wanted = artifact != nullptr && artifact->content() != nullptr &&
                        artifact->name() != nullptr && artifact->name()->string_view() == "stamps";
    if (!wanted) continue;
    const std::vector<std::byte> bytes = PIEVT_TRY(log.get_blob(*artifact->content()));
    all.push_back(PIEVT_TRY(OriginalStamps::from_bytes(bytes)));
  }
  PIEVT_TRY(reader.status());
  return all;
}

// The generated structs have no setters; a Head is written anew in its place.
void forget_time(const schema::Envelope& envelope) {
  const schema::Head& h = *envelope.head();
  const_cast<schema::Head&>(h) = schema::Head(
      h.causation(), h.correlation(), 0, h.causation_stream(), h.principal(), h.job(), h.attempt(),
      h.gate(), h.worker(), h.artifact(), h.message(), h.reserved0(), h.reserved1());
}

class LogRun final : public RunSource {
 public:
  LogRun(const Log& log, std::string_view run_id, Revision head)
      : log_(log),
        run_id_(run_id),
        origin_(fmt::format("store {}", log.info().store_id)),
        head_(head) {}

  Status begin() {
    story_ = PIEVT_TRY(read_store_story(log_));
    originals_ = PIEVT_TRY(read_original_stamps(log_, run_id_));
    for (const OriginalStamps& original : originals_)
      for (const Actor& actor : original.actors) original_actors_[actor.number] = actor;
    return {};
  }

  const std::string& run_id() const override { return run_id_; }
  const std::string& origin() const override { return origin_; }
  Revision head() const override { return head_; }

  Status events(const EventSink& sink) const override {
    EventReader reader = log_.read_stream(run_stream(run_id_), {1}, head_);
    while (reader.next()) {
      if (originals_.empty()) {
        PIEVT_TRY(sink(reader.event()));
      } else {
        PIEVT_TRY(give_original(reader.event(), sink));
      }
    }
    return reader.status();
  }

  Result<std::vector<std::byte>> blob(const schema::BlobRef& ref) const override {
    return log_.get_blob(ref);
  }

  void blobs(std::span<const schema::BlobRef> refs, const BlobSink& sink) const override {
    get_blobs(log_, refs, sink);
  }
  bool reads_blobs_beside() const override { return true; }

  Result<std::uint64_t> output(const OutputKey& key, const AttemptState& attempt,
                               const ByteSink& sink) const override {
    return read_output(log_, key, attempt, sink);
  }

  Result<std::uint64_t> schema_hash(const EventView& event) const override {
    if (!story_.other_schemas) return std::uint64_t{0};
    const std::uint64_t sequence = event.sequence.value;
    if (sequence < page_first_ || sequence > page_last_) {
      const StoredPage page = PIEVT_TRY(load_page(log_.impl().rocks(), event.sequence));
      page_first_ = page.first();
      page_last_ = page.last();
      page_schema_ = page.view().header->schema;
    }
    return page_schema_ == embedded_schema().short_hash ? 0 : page_schema_;
  }

  Result<std::vector<std::byte>> schema(std::uint64_t short_hash) const override {
    return log_.stored_schema(short_hash);
  }

  Result<Actor> actor(std::uint32_t number) const override {
    const auto& actors = originals_.empty() ? story_.actors : original_actors_;
    const auto found = actors.find(number);
    return found == actors.end() ? Actor{number, 0, 0, {}} : found->second;
  }

 private:
  const OriginalStamp* original_of(Revision revision) const {
    for (const OriginalStamps& original : originals_) {
      const std::uint64_t first = original.first.value;
      if (revision.value >= first && revision.value - first < original.stamps.size())
        return &original.stamps[revision.value - first];
    }
    return nullptr;
  }

  // The event with the stamp it had, and without the time that its import had to write into it.
  Status give_original(const EventView& event, const EventSink& sink) const {
    const OriginalStamp* original = original_of(event.revision());
    if (original == nullptr) return sink(event);
    const schema::Stamp stamp(event.stamp->stream(), original->actor, event.revision().value,
                              original->wall_ns, original->monotonic_ns, event.stamp->body_size(),
                              event.stamp->flags());
    // Vectors of 8-byte words: bodies are read in place and must be aligned.
    std::vector<std::uint64_t> words((event.body.size() + 7) / 8);
    std::memcpy(words.data(), event.body.data(), event.body.size());
    const std::span<std::byte> body = std::as_writable_bytes(std::span(words));
    const auto offset = static_cast<std::size_t>(
        reinterpret_cast<const std::byte*>(event.envelope) - event.body.data());
    const auto* envelope = reinterpret_cast<const schema::Envelope*>(body.data() + offset);
    if (original->time == OriginalStamp::Told::by_stamp) forget_time(*envelope);
    return sink({event.sequence, &stamp, envelope, body.first(event.body.size()), event.id});
  }

  const Log& log_;
  std::string run_id_, origin_;
  Revision head_;
  StoreStory story_;
  std::vector<OriginalStamps> originals_;
  std::map<std::uint32_t, Actor> original_actors_;
  mutable std::uint64_t page_first_ = 1, page_last_ = 0, page_schema_ = 0;
};

}  // namespace

void RunSource::blobs(std::span<const schema::BlobRef> refs, const BlobSink& sink) const {
  for (std::size_t at = 0; at < refs.size(); ++at) {
    const Result<std::vector<std::byte>> content = blob(refs[at]);
    if (content.ok()) {
      sink(at, std::span<const std::byte>(*content));
    } else {
      sink(at, content.error());
    }
  }
}

Result<RunState> RunSource::state() const {
  RunState run;
  PIEVT_TRY(events([&](const EventView& event) -> Status {
    apply(run, event);
    return {};
  }));
  return run;
}

std::string import_stream(std::string_view run_id) {
  return fmt::format("import/{}", run_id);
}

Result<std::unique_ptr<RunSource>> open_run(const Log& log, std::string_view run_id, Revision at) {
  const Revision head = PIEVT_TRY(log.stream_head(run_stream(run_id)));
  if (head.value == 0) return Error{Errc::not_found, fmt::format("there is no run {}", run_id)};
  auto run =
      std::make_unique<LogRun>(log, run_id, at.value == 0 || at.value > head.value ? head : at);
  PIEVT_TRY(run->begin());
  return std::unique_ptr<RunSource>(std::move(run));
}

}  // namespace pievt
