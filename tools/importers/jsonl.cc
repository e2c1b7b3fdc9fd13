// The second look at a jsonl export, in which the run is stored; run_storing.h says how.
#include "tools/importers/jsonl.h"

#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "tools/exporters/jsonl.h"
#include "tools/importers/jsonl_check.h"
#include "tools/importers/jsonl_lines.h"
#include "tools/importers/run_storing.h"

namespace pievt::tools::jsonl {
namespace {

// From lines to what they say.
class Storing {
 public:
  explicit Storing(RunStoring& run) : run_(run) {}

  Status take(const ExportLines& lines) {
    if (lines.record() == "blob") return blob(lines.line());
    if (lines.record() == "output") return output(lines.line());
    if (lines.record() == "event") return event(lines.line());
    return {};
  }

 private:
  // A long text comes in parts.
  Status blob(const simdjson::dom::element& line) {
    const BlobLine part = PIEVT_TRY(BlobLine::parse(line));
    blob_ += part.content;
    if (blob_.size() < part.size) return {};
    const Digest named = PIEVT_TRY(digest_from_hex(part.digest));
    schema::Digest digest;
    std::memcpy(&digest, named.data(), sizeof(digest));
    PIEVT_TRY(run_.text(digest, std::as_bytes(std::span(blob_)), part.kind));
    blob_.clear();
    return {};
  }

  Status output(const simdjson::dom::element& line) {
    const OutputLine chunk = PIEVT_TRY(OutputLine::parse(line));
    return run_.output({chunk.job, chunk.attempt, chunk.chunk, chunk.channel, chunk.offset,
                        chunk.restart, chunk.content});
  }

  Status event(const simdjson::dom::element& line) {
    const EventLine event = PIEVT_TRY(EventLine::parse(line));
    return run_.event(event.view(), reflect::Schema::embedded_events());
  }

  RunStoring& run_;
  std::string blob_;
};

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
  ImportedRun& run = report.runs.emplace_back(imported_run(contents.run_id, contents.state));
  run.records = contents.lines;
  run.bytes = contents.bytes;
  run.events = contents.events;
  if (log == nullptr) return report;

  RunStoring storing(*log, contents.run_id, Unknown::refused);
  PIEVT_TRY(storing.begin());
  PIEVT_TRY(storing.stamps(contents.stamps, {path.string(), options.pievt_version, run.bytes}));
  Storing from_lines(storing);
  ExportLines lines = PIEVT_TRY(ExportLines::open(path));
  std::uint64_t line = 0;
  while (PIEVT_TRY(lines.next())) {
    if (const Status stored = from_lines.take(lines); !stored.ok())
      return lines.at_line(stored.error());
    if (options.progress && ++line % 1000 == 0) options.progress(line, contents.lines);
  }
  PIEVT_TRY(storing.finish());
  run.events = storing.appended();
  run.outcome = storing.outcome();
  return report;
}

}  // namespace pievt::tools::jsonl
