// Patterns with `*` (any characters but `/`), `**` (any characters) and `?` (one character but
// `/`). Everything else stands for itself.
#pragma once

#include <string_view>

namespace pievt::plan {

bool has_wildcard(std::string_view text);

/// Whether the whole of `text` fits `pattern`. The worst patterns, made for it, take about as many
/// steps as the cube of the length; others are linear.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace pievt::plan
