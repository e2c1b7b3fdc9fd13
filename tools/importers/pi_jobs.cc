#include "tools/importers/pi_jobs.h"

#include <algorithm>
#include <span>
#include <system_error>

#include <fmt/format.h>

#include "tools/importers/pi_jobs_run.h"

namespace pievt::tools::pi_jobs {
namespace {

namespace fs = std::filesystem;
using schema::ImportAnomaly;

bool directory_at(const fs::path& path) {
  std::error_code failed;
  return fs::is_directory(path, failed);
}

bool is_batch(const fs::path& path) {
  std::error_code failed;
  return fs::exists(path / "batch.json", failed) || fs::exists(path / "events.jsonl", failed);
}

// A workspace, its .pi, or the directory of the batches: whichever was named.
fs::path root_of(const fs::path& given) {
  const fs::path path = given.has_filename() ? given : given.parent_path();
  if (directory_at(path / ".pi" / "jobs")) return path / ".pi" / "jobs";
  if (path.filename() == ".pi" && directory_at(path / "jobs")) return path / "jobs";
  return path;
}

struct Found {
  std::vector<fs::path> batches;
  std::vector<FoundAnomaly> strays;
};

Result<Found> find_batches(const fs::path& path) {
  Found found;
  if (is_batch(path)) {
    found.batches.push_back(path);
    return found;
  }
  std::error_code failed;
  for (fs::directory_iterator at(path, failed); !failed && at != fs::directory_iterator();
       at.increment(failed)) {
    if (at->symlink_status(failed).type() == fs::file_type::directory) {
      found.batches.push_back(at->path());
      continue;
    }
    auto& stray = found.strays.emplace_back().what;
    stray.anomaly = ImportAnomaly::stray_file;
    stray.file = at->path().filename().string();
    stray.detail = "lies beside the batches and belongs to none";
  }
  if (failed) {
    return Error{Errc::io, fmt::format("{} cannot be read: {}", path.string(), failed.message())};
  }
  std::ranges::sort(found.batches);
  std::ranges::sort(found.strays, {}, [](const FoundAnomaly& stray) { return stray.what.file; });
  return found;
}

// Whom an anomaly is about can be told from the file it is in.
void name_subjects(const Batch& batch, std::vector<FoundAnomaly>& anomalies) {
  for (FoundAnomaly& found : anomalies) {
    const std::string_view file = found.what.file;
    for (std::uint32_t number = 1; number <= batch.jobs.size() && found.job == 0; ++number) {
      const std::string& id = batch.jobs[number - 1].id;
      if (file == fmt::format("jobs/{}.json", id) ||
          file.starts_with(fmt::format("attempts/{}/", id)))
        found.job = number;
    }
  }
}

std::string job_word(const JobState& job, const Batch& batch) {
  switch (job.status) {
    case schema::JobStatus::succeeded:
      return "success";
    case schema::JobStatus::failed:
      return "error";
    case schema::JobStatus::cancelled:
      return "aborted";
    default:
      break;
  }
  if (job.phase == state::JobPhase::backoff) return "retry pending";
  if (job.phase == state::JobPhase::running) return "running";
  const std::string& status = batch.jobs[job.number - 1].status;
  return status == "queued" || status.empty() ? "queued" : "unknown";
}

void summarise(ImportedRun& run, const RunTeller& teller, const Batch& batch,
               const SourceFiles& files) {
  run.outcome = !teller.knew_run()         ? RunImport::imported
                : teller.new_events() != 0 ? RunImport::continued
                                           : RunImport::unchanged;
  run.status = batch.status.empty() ? "unknown" : batch.status;
  for (const auto& job : teller.state().jobs) {
    ++run.jobs[job_word(*job, batch)];
    run.attempts += static_cast<std::uint32_t>(job->attempts.size());
  }
  run.records = batch.record_count;
  run.files = files.all().size();
  run.bytes = files.bytes();
  run.events = teller.new_events();
}

Result<ImportedRun> import_batch(Log* log, const fs::path& directory, Sha256& sum) {
  ImportedRun run;
  run.run_id = directory.filename().string();
  const SourceFiles files = SourceFiles::load(directory, run.anomalies);
  const Batch batch = read_batch(run.run_id, files, run.anomalies);
  BlobSink blobs(log);
  name_subjects(batch, run.anomalies);
  RunTeller teller = PIEVT_TRY(RunTeller::begin(log, run.run_id, run.anomalies));
  PIEVT_TRY(tell_run(teller, batch, files, blobs, run.anomalies));
  summarise(run, teller, batch, files);
  if (log != nullptr) PIEVT_TRY(teller.append(*log));
  sum.update(run.run_id);
  sum.update(files.digest());
  return run;
}

schema::ImportFinishedT totals(const ImportReport& report) {
  schema::ImportFinishedT all;
  all.anomalies = report.anomalies.size();
  for (const ImportedRun& run : report.runs) {
    ++all.runs;
    for (const auto& [word, count] : run.jobs) all.jobs += count;
    all.attempts += run.attempts;
    all.records += run.records;
    all.files += run.files;
    all.bytes += run.bytes;
    all.anomalies += run.anomalies.size();
  }
  return all;
}

// The reading itself, in a stream named by what was read: a second reading of the same finds it.
Status record_reading(Log& log, const fs::path& path, const ImportReport& report,
                      const Digest& digest, const ImportOptions& options) {
  const std::string stream = fmt::format("import/{}", hex(digest));
  if (PIEVT_TRY(log.stream_head(stream)).value != 0) return {};
  schema::ImportStartedT started;
  started.source_kind = report.source_kind;
  started.path = path.string();
  started.pievt_version = options.pievt_version;
  started.digest = std::make_unique<schema::Digest>();
  std::ranges::copy(digest, std::as_writable_bytes(std::span(started.digest.get(), 1)).begin());
  std::vector<NewEvent> events;
  events.push_back({.payload = std::move(started)});
  for (const FoundAnomaly& found : report.anomalies)
    events.push_back({.payload = schema::ImportAnomalyFoundT(found.what)});
  events.push_back({.payload = totals(report)});
  PIEVT_TRY(log.append(stream, Expected::no_stream(), std::move(events)));
  return {};
}

}  // namespace

bool recognises(const fs::path& path) {
  const fs::path root = root_of(path);
  if (root.filename() == "jobs" || is_batch(root)) return true;
  std::error_code failed;
  for (fs::directory_iterator at(root, failed); !failed && at != fs::directory_iterator();
       at.increment(failed)) {
    if (is_batch(at->path())) return true;
  }
  return false;
}

Result<ImportReport> read(Log* log, const fs::path& path, const ImportOptions& options) {
  const fs::path root = root_of(path);
  Found found = PIEVT_TRY(find_batches(root));
  ImportReport report;
  report.source_kind = "pi-jobs";
  report.anomalies = std::move(found.strays);
  Sha256 sum;
  for (const fs::path& batch : found.batches) {
    if (options.progress) options.progress(report.runs.size(), found.batches.size());
    report.runs.push_back(PIEVT_TRY(import_batch(log, batch, sum)));
  }
  for (const FoundAnomaly& stray : report.anomalies) sum.update(stray.what.file);
  if (log != nullptr) PIEVT_TRY(record_reading(*log, root, report, sum.finish(), options));
  return report;
}

}  // namespace pievt::tools::pi_jobs
