// Reads `.pi/jobs` of pi-jobs 0.5.0: one directory a batch, JSON snapshots with an event log beside
// them, both written without fsync. docs/import.md says what becomes of each record.
#pragma once

#include "tools/importers/importer.h"

namespace pievt::tools::pi_jobs {

bool recognises(const std::filesystem::path& path);
Result<ImportReport> read(Log* log, const std::filesystem::path& path,
                          const ImportOptions& options);

}  // namespace pievt::tools::pi_jobs
