// Whether two patterns of paths have a path in common.
#pragma once

#include <string>
#include <string_view>

namespace pievt::lint {

/// Pure and exact for the patterns of contracts (check/path_pattern.h): whether some path matches
/// both.
bool overlap(std::string_view a, std::string_view b);

/// The pattern as seen from the run's directory instead of the job's, which is `directory` there.
std::string from_run(const std::string& directory, const std::string& pattern);

/// Why no path that is made in a job's directory can match the pattern; empty: one can.
std::string cannot_match(std::string_view pattern);

}  // namespace pievt::lint
