// What a store knows of its sealed runs: where they lie by default, the event that says so, and of
// which ones only the events are left.
#include <cerrno>

#include <sys/stat.h>

#include <fmt/format.h>

#include "pievt/sealed.h"
#include "store/format/hash.h"
#include "store/log/blob_store.h"
#include "store/log/store_files.h"
#include "store/trust/removals.h"

namespace pievt {

Status record_sealed(Log& log, const SealReport& report, const std::filesystem::path& file,
                     Original original) {
  std::error_code failed;
  const std::filesystem::path store = std::filesystem::canonical(log.info().directory, failed);
  const std::filesystem::path whole = std::filesystem::weakly_canonical(file, failed);
  const std::filesystem::path inside = whole.lexically_relative(store);
  const bool is_inside = !inside.empty() && *inside.begin() != "..";
  schema::RunSealedT sealed;
  sealed.run_id = report.facts.run_id;
  sealed.file = is_inside ? inside.string() : whole.string();
  const Digest digest = PIEVT_TRY(digest_from_hex(report.sha256));
  sealed.digest = std::make_unique<schema::Digest>(to_schema(digest));
  sealed.events = report.facts.events;
  sealed.bytes = report.facts.file_bytes;
  sealed.original_removed = original == Original::goes;
  std::vector<NewEvent> events;
  events.push_back({std::move(sealed)});
  PIEVT_TRY(log.append("store", Expected::any(), std::move(events)));
  return {};
}

Result<RemovedRuns> removed_runs(const Log& log) {
  Removals removals;
  EventReader reader = log.read_stream("store", {1});
  while (reader.next()) removals.see("store", reader.event());
  PIEVT_TRY(reader.status());
  return removals.runs();
}

Result<std::filesystem::path> sealed_place(const std::filesystem::path& store,
                                           std::string_view run_id) {
  // An id is a part of a file's name; one that came with an export need not be harmless.
  if (run_id.empty() || run_id.front() == '.' || run_id.find('/') != std::string_view::npos)
    return Error{Errc::invalid,
                 fmt::format("the run's id `{}` is no name for a file; say -f FILE", run_id)};
  const std::filesystem::path directory = store / "sealed";
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return os_error(fmt::format("cannot create {}", directory.string()), errno);
  PIEVT_TRY(sync_directory(store));
  return directory / (std::string(run_id) + ".pievt");
}

}  // namespace pievt
