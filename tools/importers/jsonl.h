// A run that `pievt export --format jsonl` wrote, into this store: the same run under the same id.
#pragma once

#include <filesystem>

#include "tools/importers/importer.h"

namespace pievt::tools::jsonl {

bool recognises(const std::filesystem::path& path);
Result<ImportReport> read(Log* log, const std::filesystem::path& path,
                          const ImportOptions& options);

}  // namespace pievt::tools::jsonl
