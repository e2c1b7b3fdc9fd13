// Durations as people write them: `90s`, `20m`, `1h30m`, `500ms`, `2d`.
#pragma once

#include <cstdint>
#include <string_view>

#include "pievt/result.h"

namespace pievt::plan {

/// Milliseconds. Whole numbers with the units d, h, m, s, ms, larger units first and none twice;
/// Errc::invalid with a sentence that shows how to write it otherwise. Zero is a duration.
Result<std::uint64_t> parse_duration_ms(std::string_view text);

}  // namespace pievt::plan
