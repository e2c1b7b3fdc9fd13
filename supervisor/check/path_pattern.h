// Patterns of paths, as pi-jobs reads them.
#pragma once

#include <string_view>

namespace pievt::acceptance {

/// Pure. `\` counts as `/` on both sides. A pattern that ends with `/` covers what is below it; one
/// without `*` is that very path; else `**` stands for anything, `*` for anything but `/`, and
/// every other character for itself. Nothing is normalised: `./a` matches no path that we make.
bool matches(std::string_view path, std::string_view pattern);

}  // namespace pievt::acceptance
