#include "tools/exporters/redacted_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>

#include <fmt/format.h>

#include "store/format/reflect_walk.h"

namespace pievt::tools {
namespace {

// Fields that hold names and words of ours, pi's or the provider's. Sorted.
constexpr std::array<std::string_view, 27> kept_fields = {
    "append",         "base_commit",   "call_id",  "decided_by",    "executable_name",
    "failure",        "hook",          "id",       "identity",      "kernel",
    "kind",           "model",         "name",     "parent_run",    "path",
    "pi_version",     "pievt_version", "provider", "provider_name", "rerun_of",
    "response_model", "rule",          "ruleset",  "run_id",        "stop_reason",
    "thinking",       "tool",
};
static_assert(std::ranges::is_sorted(kept_fields));

constexpr std::string_view replacement = "[redacted]";

// Finds the texts of a body that are to go. They are changed after the walk, which reads them.
class TextFinder final : public reflect::Visitor {
 public:
  std::vector<std::string_view> found;
  std::vector<schema::Digest> bodies;
  bool opaque = false;  ///< there is something that no schema explains

  void begin_object(const reflect::ObjectType& type) override {
    if (type.short_name() == "BlobRef") in_blob_ = true;
  }
  void end_object() override { in_blob_ = false; }
  void begin_array(std::size_t) override {}
  void end_array() override {}
  void field(const reflect::Field& field) override { field_ = field.name; }
  void value(const reflect::Value& value) override {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      if (!text->empty() && !std::ranges::binary_search(kept_fields, field_))
        found.push_back(*text);
    } else if (const auto* raw = std::get_if<reflect::Bytes>(&value);
               raw != nullptr && in_blob_ && raw->bytes.size() == sizeof(schema::Digest)) {
      schema::Digest digest;
      std::memcpy(&digest, raw->bytes.data(), sizeof(digest));
      bodies.push_back(digest);
    } else if (std::holds_alternative<reflect::Opaque>(value)) {
      opaque = true;
    }
  }

 private:
  std::string_view field_;
  bool in_blob_ = false;
};

// Shortens a string where it lies: its length stands in the four bytes before it. `body` is ours to
// write to. The rest is zeroed, so that nothing of it is left between the fields.
void blank(std::string_view text, std::span<std::byte> body) {
  const auto at =
      static_cast<std::size_t>(reinterpret_cast<const std::byte*>(text.data()) - body.data());
  const auto size = static_cast<std::uint32_t>(std::min(text.size(), replacement.size()));
  std::memset(body.data() + at, 0, text.size());
  std::memcpy(body.data() + at, replacement.data(), size);
  std::memcpy(body.data() + at - sizeof(size), &size, sizeof(size));
}

class RedactedRun final : public RunSource {
 public:
  RedactedRun(const RunSource& source, Redactions& counts) : source_(source), counts_(counts) {}

  const std::string& run_id() const override { return source_.run_id(); }
  const std::string& origin() const override { return source_.origin(); }
  Revision head() const override { return source_.head(); }
  Result<std::uint64_t> schema_hash(const EventView& event) const override {
    return source_.schema_hash(event);
  }
  Result<std::vector<std::byte>> schema(std::uint64_t hash) const override {
    return source_.schema(hash);
  }
  Result<Actor> actor(std::uint32_t number) const override {
    return Actor{PIEVT_TRY(source_.actor(number)).number, 0, 0, {}};
  }
  Result<std::vector<std::byte>> blob(const schema::BlobRef&) const override {
    return Error{Errc::not_found, "it was redacted"};
  }
  Result<std::uint64_t> output(const OutputKey&, const AttemptState&,
                               const ByteSink&) const override {
    return std::uint64_t{0};
  }

  Status events(const EventSink& sink) const override {
    std::vector<std::uint64_t> words;
    std::set<std::string> bodies;
    Redactions seen;
    const auto redact = [&](const EventView& event) -> Status {
      const reflect::Schema* schema = PIEVT_TRY(schema_of(event));
      words.assign((event.body.size() + 7) / 8, 0);
      std::memcpy(words.data(), event.body.data(), event.body.size());
      const auto body = std::as_writable_bytes(std::span(words)).first(event.body.size());
      TextFinder finder;
      PIEVT_TRY(reflect::walk(*schema, body, finder));
      if (finder.opaque)
        return Error{Errc::unsupported,
                     fmt::format("event #{} is of a type that no schema in the store explains, so "
                                 "nobody knows what to take out of it; export it with a later "
                                 "version",
                                 event.revision().value)};
      for (const std::string_view text : finder.found) blank(text, body);
      seen.texts += finder.found.size();
      for (const schema::Digest& digest : finder.bodies)
        bodies.emplace(reinterpret_cast<const char*>(&digest), sizeof(digest));
      if (const auto* captured = event.envelope->payload_as_OutputCaptured())
        seen.output_bytes += captured->size();
      const auto offset = reinterpret_cast<const std::byte*>(event.envelope) - event.body.data();
      return sink({event.sequence, event.stamp,
                   reinterpret_cast<const schema::Envelope*>(body.data() + offset), body,
                   event.id});
    };
    PIEVT_TRY(source_.events(redact));
    seen.blobs = bodies.size();
    if (!counted_) counts_ = seen;
    counted_ = true;
    return {};
  }

 private:
  Result<const reflect::Schema*> schema_of(const EventView& event) const {
    const std::uint64_t hash = PIEVT_TRY(source_.schema_hash(event));
    if (hash == 0) return &reflect::Schema::embedded_events();
    auto found = schemas_.find(hash);
    if (found == schemas_.end()) {
      // Without its schema nobody knows which of its bytes are text: an error, not a leak.
      const std::vector<std::byte> bytes = PIEVT_TRY(source_.schema(hash));
      auto loaded = std::make_unique<reflect::Schema>(PIEVT_TRY(reflect::Schema::load(bytes)));
      found = schemas_.emplace(hash, std::move(loaded)).first;
    }
    return found->second.get();
  }

  const RunSource& source_;
  Redactions& counts_;
  mutable bool counted_ = false;
  mutable std::map<std::uint64_t, std::unique_ptr<reflect::Schema>> schemas_;
};

}  // namespace

std::unique_ptr<RunSource> redacted(const RunSource& source, Redactions& counts) {
  return std::make_unique<RedactedRun>(source, counts);
}

}  // namespace pievt::tools
