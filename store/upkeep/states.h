// The saved states of a log that was put together anew. They follow from its events, so no copy
// carries them; and without them everybody who asks folds from the first event.
#pragma once

#include <filesystem>

#include "pievt/result.h"

namespace pievt {

/// Makes them for the store in `place`, which is complete and nobody else's yet: the list of runs,
/// and of every run its newest state, those on the way, and its clock. No event is added.
Status make_states(const std::filesystem::path& place);

}  // namespace pievt
