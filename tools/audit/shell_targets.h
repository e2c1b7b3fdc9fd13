// Which files a shell command says it writes to: what stands behind `>`, `>>` and `tee`. It is
// read, not run, so this is what was asked for and no proof that it happened: a name that the shell
// would have to work out (a variable, a pattern) is left out, and so is every program that writes
// by itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pievt::audit {

/// Relative to where the command began, as far as a `cd` before them can be followed; in the
/// command's order, each once. /dev is left out.
std::vector<std::string> shell_targets(std::string_view command);

}  // namespace pievt::audit
