// Patterns with `*` (any characters but `/`), `**` (any characters) and `?` (one character but
// `/`). Everything else stands for itself.
#pragma once

#include <string_view>

namespace pievt::plan {

bool has_wildcard(std::string_view text);

/// Whether the whole of `text` fits `pattern`. Takes at most |pattern| x |text| steps, whatever the
/// pattern is.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace pievt::plan
