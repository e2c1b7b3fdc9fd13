// What stands in the columns of one row of a waterfall.
#pragma once

#include <cstdint>
#include <string>

namespace pievt::tools {

/// A height from 0 (a blank) to `top`, as one character: eight blocks, or a digit where there is
/// only ASCII (`+` above nine).
std::string level_glyph(std::uint64_t value, std::uint64_t top, bool utf8);

}  // namespace pievt::tools
