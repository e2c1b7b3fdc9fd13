// A batch, told as a run.
#pragma once

#include "tools/importers/blob_sink.h"
#include "tools/importers/pi_jobs_batch.h"
#include "tools/importers/run_teller.h"

namespace pievt::tools::pi_jobs {

/// Tells everything the batch's files hold. `anomalies` are told before the run's end; those that
/// arise on the way are added. An error means that the store failed.
Status tell_run(RunTeller& teller, const Batch& batch, const SourceFiles& files, BlobSink& blobs,
                std::vector<FoundAnomaly>& anomalies);

}  // namespace pievt::tools::pi_jobs
