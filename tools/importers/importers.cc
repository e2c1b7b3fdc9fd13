// The table of importers: a new one is one folder of files and one row.
#include <array>

#include "tools/importers/importer.h"
#include "tools/importers/jsonl.h"
#include "tools/importers/pi_jobs.h"
#include "tools/importers/sealed.h"

namespace pievt::tools {
namespace {

constexpr std::array importer_rows = {
    Importer{"jsonl", "a run that `pievt export --format jsonl` wrote", jsonl::recognises,
             jsonl::read},
    Importer{"pi-jobs", "a .pi/jobs directory of pi-jobs 0.5, or one batch of it",
             pi_jobs::recognises, pi_jobs::read},
    Importer{"sealed", "a run that `pievt seal` wrote", sealed_file::recognises, sealed_file::read},
};

}  // namespace

std::span<const Importer> importers() {
  return importer_rows;
}

}  // namespace pievt::tools
