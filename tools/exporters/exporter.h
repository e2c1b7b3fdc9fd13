// An exporter writes one run in somebody else's format. It is a row of the table in exporters.cc.
//
// Nothing is lost without a word: a row says which kinds of events it carries, whatever else there
// is is counted by kind, and the account of it, the manifest, ends every export. Events in are
// events carried plus events dropped, for every format; a test asks that of the table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/run_source.h"
#include "tools/exporters/outputs.h"
#include "tools/render/json_writer.h"
#include "tools/render/writer.h"

namespace pievt::tools {

/// What --redact took out.
struct Redactions {
  std::uint64_t texts = 0;         ///< fields of events that people or agents wrote
  std::uint64_t blobs = 0;         ///< prompts, messages, arguments, results
  std::uint64_t output_bytes = 0;  ///< of captured output
};

/// The account of one export.
struct Manifest {
  std::string format;
  std::string run_id;
  std::string origin;
  std::uint64_t events_in = 0;
  std::uint64_t events_carried = 0;
  /// What the format counts as one: lines, rows, spans, test cases, files.
  std::uint64_t items_out = 0;
  std::map<std::string, std::uint64_t> dropped;  ///< events by type
  std::uint64_t blobs_missing = 0;               ///< texts: asked for and not in the source
  std::uint64_t output_chunks_missing = 0;       ///< of captured output: the same
  /// SHA-256 of all events in: see EventsDigest. In hexadecimal.
  std::string events_digest;
  std::optional<Redactions> redactions;
};

/// The members of a manifest, into the object that is open.
void write_manifest_members(render::JsonWriter& json, const Manifest& manifest);
/// One line for people: "53 events in, 12 items out, 41 dropped (31 UsageRecorded, 10 TurnEnded)".
std::string manifest_text(const Manifest& manifest);

/// What an export is asked to be.
struct ExportOptions {
  std::string pievt_version;
  /// Of the run: only this job, only this attempt. For `raw` and `pi-session`.
  std::optional<std::uint32_t> job, attempt;
  /// Which version of the conventions for generative AI `otlp` follows.
  std::string semconv;
  /// Where a redacted source counts; null: nothing is redacted.
  const Redactions* redactions = nullptr;
};

/// What an exporter works with.
struct Export {
  const RunSource& source;
  render::Writer& out;
  const ExportOptions& options;
  Manifest& manifest;
  /// The run after its last event.
  const RunState& state;
  /// What was captured of its attempts, by job, attempt and channel.
  std::vector<CapturedChannel> outputs{};

  /// A text, or nothing where it is not in the source, which the manifest then counts.
  Result<std::optional<std::string>> text(const schema::BlobRef& ref);
  /// Counts texts that are not there; what was redacted is counted as that already.
  void miss(std::uint64_t texts = 1);
  /// The same for chunks of captured output.
  void miss_output(std::uint64_t chunks);
};

class Exporter {
 public:
  Exporter() = default;
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;
  virtual ~Exporter() = default;

  virtual Status begin() { return {}; }
  /// Only events of types that the row carries, in order.
  virtual Status event(const EventView&) { return {}; }
  /// The manifest is complete but for items that are written now.
  virtual Status end() { return {}; }
};

/// Whether a format carries events of a type, also of types that are not known yet.
using Carries = bool (*)(schema::Payload type);
bool carries_all(schema::Payload type);

/// A row of the table.
struct ExporterRow {
  std::string_view name;
  std::string_view summary;
  std::string_view item;    ///< what items_out counts
  std::string_view cannot;  ///< what the format has no place for, one sentence
  Carries carries;
  /// Whether anything is left of it when bodies are taken out.
  enum class Redacted : std::uint8_t { possible, pointless } redacted;
  /// Whether it can be of one job or attempt; others are of whole runs.
  enum class Part : std::uint8_t { run, job } part;
  std::unique_ptr<Exporter> (*make)(Export&);
};

/// Sorted by name.
std::span<const ExporterRow> exporters();
const ExporterRow* find_exporter(std::string_view name);

/// Writes the run. io: `out` takes no more, or the source cannot be read; what was written is then
/// incomplete. Whoever owns `out` looks at its error.
Result<Manifest> export_run(const ExporterRow& row, const RunSource& source, render::Writer& out,
                            const ExportOptions& options);

/// SHA-256 over every event of a run: revision, recorded_ns, actor and size of the body as
/// little-endian numbers of 8 bytes, then the body. The same for a run and its import elsewhere,
/// as long as the bodies are.
class EventsDigest {
 public:
  EventsDigest();
  ~EventsDigest();
  void add(const EventView& event);
  std::string hex();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pievt::tools
