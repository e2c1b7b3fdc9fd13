// What nearly every file of ours includes, parsed once. The analysing build compiles without it, so
// that a file which forgot an include does not get by. How ccache keeps it: cmake/options.cmake.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "pievt/log.h"
#include "pievt/query.h"
#include "pievt/run_state.h"
