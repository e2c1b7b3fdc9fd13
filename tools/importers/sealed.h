// Reads a sealed run, as an importer: it becomes the same run in this store.
#pragma once

#include "tools/importers/importer.h"

namespace pievt::tools::sealed_file {

bool recognises(const std::filesystem::path& path);
Result<ImportReport> read(Log* log, const std::filesystem::path& path,
                          const ImportOptions& options);

}  // namespace pievt::tools::sealed_file
