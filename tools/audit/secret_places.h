// All places of a secret. The event that tells of one says where it was noticed first; the same
// text mostly stands in the session, the worker's telemetry and other files of the run too, and
// whoever changes the secret wants to know how far it went. Its text is taken from where it was
// noticed, kept in memory only while the run's texts are looked through, and never shown.
#pragma once

#include <functional>
#include <vector>

#include "pievt/run_source.h"
#include "tools/audit/material.h"
#include "tools/audit/tool_files.h"

namespace pievt::audit {

/// Walks the events of the run from the first, any number of times.
using WalkEvents = std::function<Status(const EventSink&)>;

/// As many as `secrets`, in the same order. Those that were masked before they were stored have no
/// places. Of a run with very many texts only the first ones are looked through: `whole` is false.
Result<std::vector<SecretPlaces>> secret_places(
    const std::vector<Kept<schema::SecretFoundT>>& secrets, const WalkEvents& walk,
    const ReadBlob& read);

}  // namespace pievt::audit
