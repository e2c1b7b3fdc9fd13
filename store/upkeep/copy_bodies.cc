#include <algorithm>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/blob_refs.h"
#include "store/log/output_store.h"
#include "store/log/schema_registry.h"
#include "store/upkeep/copy.h"

namespace pievt {
namespace {

std::string schema_key(std::uint64_t name) {
  return {reinterpret_cast<const char*>(&name), sizeof(name)};
}

}  // namespace

Status BodyCopier::page(const StoredPage& page, std::span<const EventView> events) {
  if (page.view().is_lost()) return {};
  const reflect::Schema* schema = PIEVT_TRY(schema_of(page.view().header->schema));
  for (const EventView& one : events) PIEVT_TRY(event(one, *schema));
  return {};
}

Result<const reflect::Schema*> BodyCopier::schema_of(std::uint64_t name) {
  auto found = schemas_.find(name);
  if (found == schemas_.end()) {
    found = schemas_.emplace(name, std::nullopt).first;
    auto stored = find(Family::schemas, schema_key(name));
    if (!stored.ok() && stored.error().code != Errc::corrupt) return stored.error();
    auto bytes = stored.ok() ? std::move(*stored) : std::nullopt;
    // A schema that got lost may be the one this program was built with.
    const EmbeddedSchema& own = embedded_schema();
    if (!bytes && name == own.short_hash) bytes.emplace(text_of(own.bytes));
    if (bytes) {
      PIEVT_TRY(to_->put(Family::schemas, schema_key(name), *bytes));
      if (auto loaded = reflect::Schema::load(std::as_bytes(std::span(*bytes))); loaded.ok())
        found->second = std::move(*loaded);
    } else {
      problem({{},
               stored.ok() ? Severity::missing : Severity::damaged,
               stored.ok() ? fmt::format("schema {:016x} is not in the store", name)
                           : fmt::format("schema {:016x}: {}", name, stored.error().what)});
    }
  }
  return found->second ? &*found->second : &reflect::Schema::embedded_events();
}

Status BodyCopier::event(const EventView& event, const reflect::Schema& schema) {
  if (event.type() == schema::Payload::RunSealed) removals_.see(stream_of(event), event);
  const auto blobs = blobs_of(schema, event.body);
  if (!blobs.ok()) {
    problem(about(event, Severity::damaged, blobs.error().what));
  } else {
    for (const FoundBlob& found : *blobs) {
      // Chunks of output are kept by their place.
      if (found.ref.kind() != schema::BlobKind::output_chunk) PIEVT_TRY(blob(found.ref, event));
    }
  }
  return output(event);
}

Status BodyCopier::blob(const schema::BlobRef& ref, const EventView& event) {
  const Digest digest = from_schema(ref.digest());
  const std::string key = blob_key(digest);
  if (to_->has(Family::blobs, key)) return {};
  const auto found = find(Family::blobs, key);
  if (!found.ok()) {
    if (found.error().code != Errc::corrupt) return found.error();
    return damaged(key, event, fmt::format("text {}: {}", hex(digest), found.error().what));
  }
  const std::optional<std::string>& stored = *found;
  if (!stored) {
    absent(event, AbsentKind::text, fmt::format("text {} is not in the store", hex(digest)));
    return {};
  }
  const auto chunks = chunk_keys_of(*stored);
  if (!chunks.ok())
    return damaged(key, event, fmt::format("{}: {}", hex(digest), chunks.error().what));
  // The manifest last, and only when every chunk is there: a text in the copy is whole or missing.
  for (const std::string& chunk : *chunks) {
    const auto value = find(Family::blobs, chunk);
    if (!value.ok()) {
      if (value.error().code != Errc::corrupt) return value.error();
      return damaged(key, event, fmt::format("text {}: {}", hex(digest), value.error().what));
    }
    if (!*value) {
      absent(event, AbsentKind::text,
             fmt::format("a chunk of text {} is not in the store", hex(digest)));
      return {};
    }
    PIEVT_TRY(copy(chunk, **value));
  }
  PIEVT_TRY(copy(key, *stored));
  if (!key_ || !to_->writes()) return {};
  const Status intact = to_->check_blob(*key_, ref);
  if (intact.ok()) return {};
  PIEVT_TRY(damaged(key, event, intact.error().what));
  return to_->remove(Family::blobs, key);
}

Status BodyCopier::output(const EventView& event) {
  const auto* captured = event.envelope->payload_as_OutputCaptured();
  if (captured == nullptr) return {};
  const std::string stream = stream_of(event);
  if (!stream.starts_with("run/")) return {};
  const OutputKey place{stream.substr(4), event.head().job(), event.head().attempt(),
                        captured->channel()};
  const std::string key = output_chunk_key(place, captured->chunk());
  if (to_->has(Family::blobs, key)) return {};
  const auto stored = find(Family::blobs, key);
  if (!stored.ok() && stored.error().code != Errc::corrupt) return stored.error();
  if (stored.ok() && *stored) return copy(key, **stored);
  const std::string name =
      fmt::format("chunk {} of {} of {}, job {}, attempt {}", captured->chunk(),
                  schema::EnumNameOutputChannel(place.channel), stream, place.job, place.attempt);
  if (!stored.ok()) return damaged(key, event, fmt::format("{}: {}", name, stored.error().what));
  absent(event, AbsentKind::output, name + " is not in the store");
  return {};
}

Result<std::optional<std::string>> BodyCopier::find(Family family, std::string_view key) {
  for (;;) {
    auto stored = PIEVT_TRY(get_(family, key));
    if (stored || !again_ || !again_()) return stored;
  }
}

Status BodyCopier::copy(std::string_view key, std::string_view value) {
  ++report_->bodies;
  report_->body_bytes += value.size();
  return to_->put(Family::blobs, key, value);
}

std::string BodyCopier::stream_of(const EventView& event) const {
  return names_ ? names_(event.stamp->stream()) : std::string();
}

void BodyCopier::absent(const EventView& event, AbsentKind kind, std::string what) {
  BodyProblem found = about(event, Severity::missing, std::move(what));
  if (!found.stream.starts_with("run/")) return problem(std::move(found));
  const std::string run = found.stream.substr(4);
  absences_.add(run, event.revision(), kind, std::move(found));
}

// One body may be referred to by many events; it is told of once.
Status BodyCopier::damaged(std::string_view key, const EventView& event, std::string what) {
  if (damaged_.emplace(key).second) problem(about(event, Severity::damaged, std::move(what)));
  return {};
}

BodyProblem BodyCopier::about(const EventView& event, Severity severity, std::string what) const {
  return {event.sequence, severity, std::move(what), stream_of(event), event.revision()};
}

void BodyCopier::finish() {
  for (const std::string& run : absences_.runs()) {
    auto outcome = absences_.outcome(run, removals_.find(run));
    report_->bodies_removed += outcome.removed[0] + outcome.removed[1];
    report_->bodies_missing += outcome.lost[0] + outcome.lost[1];
    for (BodyProblem& lost : outcome.things) report_->problems.push_back(std::move(lost));
  }
  std::ranges::stable_sort(report_->problems, {}, &BodyProblem::sequence);
  if (report_->problems.size() > body_problems_listed_max)
    report_->problems.resize(body_problems_listed_max);
}

void BodyCopier::problem(BodyProblem problem) {
  ++(problem.severity == Severity::missing ? report_->bodies_missing : report_->bodies_damaged);
  if (report_->problems.size() < body_problems_listed_max)
    report_->problems.push_back(std::move(problem));
}

}  // namespace pievt
