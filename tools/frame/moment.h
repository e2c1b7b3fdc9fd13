// Times as people type them, for --since, --until, --timeout and the like.
#pragma once

#include <cstdint>
#include <string_view>

#include "pievt/result.h"
#include "tools/render/text.h"

namespace pievt::tools {

/// Nanoseconds of `90s`, `20m`, `1h30m`, `500ms`, `2d`: whole numbers with the units d, h, m, s,
/// ms, larger units first and none twice, the same as in a plan. Errc::invalid with a sentence that
/// shows how to write it.
Result<std::int64_t> parse_duration(std::string_view text);

/// Nanoseconds since 1970 of a moment: a duration (that long before `now_ns`), `now`, `today`,
/// `yesterday`, `yesterday 14:00`, `14:00` (the last one that is not after now), `2026-11-20`,
/// `2026-11-20 14:00:05.25`, or RFC 3339. A time without an offset is `zone`'s. Errc::invalid
/// otherwise, days that do not exist included.
Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_ns, render::Zone zone);

}  // namespace pievt::tools
