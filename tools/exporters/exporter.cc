#include "tools/exporters/exporter.h"

#include <array>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pievt/bytes.h"
#include "store/trust/run_digest.h"
#include "tools/exporters/beside.h"
#include "tools/exporters/event_copies.h"
#include "tools/render/text.h"

namespace pievt::tools {

struct EventsDigest::Impl {
  RunDigest sum;
};

EventsDigest::EventsDigest() : impl_(std::make_unique<Impl>()) {}
EventsDigest::~EventsDigest() = default;

void EventsDigest::add(const EventView& event) {
  impl_->sum.add(event);
}

std::string EventsDigest::hex() {
  return pievt::hex(impl_->sum.finish());
}

bool carries_all(schema::Payload) {
  return true;
}

void write_manifest_members(render::JsonWriter& json, const Manifest& manifest) {
  std::uint64_t dropped = 0;
  for (const auto& [type, count] : manifest.dropped) dropped += count;
  json.member("format", manifest.format)
      .member("run", manifest.run_id)
      .member("origin", manifest.origin)
      .member("events_in", manifest.events_in)
      .member("events_carried", manifest.events_carried)
      .member("events_dropped", dropped)
      .key("dropped")
      .begin_object();
  for (const auto& [type, count] : manifest.dropped) json.member(type, count);
  json.end_object()
      .member("items_out", manifest.items_out)
      .member("blobs_missing", manifest.blobs_missing)
      .member("output_chunks_missing", manifest.output_chunks_missing)
      .member("events_sha256", manifest.events_digest)
      .member("redacted", manifest.redactions.has_value());
  if (manifest.redactions) {
    json.member("texts_redacted", manifest.redactions->texts)
        .member("blobs_redacted", manifest.redactions->blobs)
        .member("output_bytes_redacted", manifest.redactions->output_bytes);
  }
}

std::string manifest_text(const Manifest& manifest) {
  std::uint64_t dropped = 0;
  std::vector<std::string> kinds;
  for (const auto& [type, count] : manifest.dropped) {
    dropped += count;
    kinds.push_back(fmt::format("{} {}", render::count_text(count), type));
  }
  std::string text = fmt::format("{} in, {} out", render::plural(manifest.events_in, "event"),
                                 render::plural(manifest.items_out, "item"));
  if (dropped != 0) {
    text += fmt::format(", {} dropped ({})", render::count_text(dropped), fmt::join(kinds, ", "));
  }
  if (manifest.blobs_missing != 0)
    text += fmt::format(", {} not in the store", render::plural(manifest.blobs_missing, "text"));
  if (manifest.output_chunks_missing != 0)
    text += fmt::format(
        ", {} not in the store",
        render::plural(manifest.output_chunks_missing, "chunk of output", "chunks of output"));
  if (manifest.redactions) {
    text += fmt::format("; redacted: {}, {}, {} of output",
                        render::plural(manifest.redactions->texts, "text field"),
                        render::plural(manifest.redactions->blobs, "body", "bodies"),
                        render::bytes_text(manifest.redactions->output_bytes));
  }
  return text;
}

void Export::miss(std::uint64_t texts) {
  if (!manifest.redactions) manifest.blobs_missing += texts;
}

void Export::miss_output(std::uint64_t chunks) {
  if (!manifest.redactions) manifest.output_chunks_missing += chunks;
}

Result<std::optional<std::string>> Export::text(const schema::BlobRef& ref) {
  const Result<std::vector<std::byte>> content = source.blob(ref);
  if (content.ok()) return std::optional(std::string(text_of(*content)));
  if (content.error().code != Errc::not_found) return content.error();
  miss();
  return std::optional<std::string>();
}

const ExporterRow* find_exporter(std::string_view name) {
  for (const ExporterRow& row : exporters())
    if (row.name == name) return &row;
  return nullptr;
}

namespace {

constexpr std::size_t added_up_at_once_bytes = std::size_t{2} << 20;

// The first pass over a source: the run's state, the digest of its events, which output it has.
// Adding up takes as long as reading, so a second thread does it.
class FirstPass {
 public:
  void event(const EventView& event) {
    read_.add(event);
    if (read_.bytes() >= added_up_at_once_bytes) hand_over();
  }

  void finish() {
    hand_over();
    static_cast<void>(adding_.wait());
  }

  RunState& state() { return state_; }
  std::string digest() { return digest_.hex(); }
  std::vector<CapturedChannel> outputs(const std::string& run_id) {
    return outputs_.take(run_id, state_);
  }

 private:
  void hand_over() {
    static_cast<void>(adding_.wait());
    std::swap(read_, added_);
    read_.clear();
    adding_.start([this]() -> Status {
      for (const EventView& event : added_.events()) {
        digest_.add(event);
        apply(state_, event);
        outputs_.see(event);
      }
      return {};
    });
  }

  EventsDigest digest_;
  RunState state_;
  CapturedOutputs outputs_;
  EventCopies read_, added_;
  Beside adding_;  // last: what it works on outlives it
};

}  // namespace

Result<Manifest> export_run(const ExporterRow& row, const RunSource& source, render::Writer& out,
                            const ExportOptions& options) {
  Manifest manifest;
  manifest.format = row.name;
  manifest.run_id = source.run_id();
  manifest.origin = source.origin();
  // The account is complete before the first byte, so that formats without an end can begin with
  // it and a source that cannot be read to its end leaves no file that looks whole.
  FirstPass first;
  std::array<std::uint64_t, 256> seen{};
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    ++manifest.events_in;
    ++seen[static_cast<std::uint8_t>(event.type())];
    first.event(event);
    return {};
  }));
  first.finish();
  manifest.events_digest = first.digest();
  if (options.redactions != nullptr) manifest.redactions = *options.redactions;
  for (std::size_t tag = 0; tag < seen.size(); ++tag) {
    const auto type = static_cast<schema::Payload>(tag);
    if (seen[tag] == 0) continue;
    if (row.carries(type)) {
      manifest.events_carried += seen[tag];
    } else {
      manifest.dropped[std::string(type_name(type))] = seen[tag];
    }
  }
  Export work{source, out, options, manifest, first.state(), first.outputs(source.run_id())};
  const std::unique_ptr<Exporter> exporter = row.make(work);
  PIEVT_TRY(exporter->begin());
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    if (!row.carries(event.type())) return {};
    if (out.done()) return Error{Errc::io, "what is written to takes no more"};
    return exporter->event(event);
  }));
  PIEVT_TRY(exporter->end());
  return manifest;
}

}  // namespace pievt::tools
