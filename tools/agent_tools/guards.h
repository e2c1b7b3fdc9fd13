// What is asked of a call before anything is written: limits and mistakes that models make. The
// same questions as pi-jobs asks, in the same order; the answers say what to call instead.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "pievt/result.h"
#include "supervisor/plan/json_tree.h"

namespace pievt::tools::guards {

inline constexpr std::size_t jobs_max = 100;
inline constexpr std::size_t inline_jobs_max = 4;
inline constexpr std::size_t inline_bytes_max = 8'000;
inline constexpr std::size_t template_bytes_max = 32'000;
inline constexpr std::size_t plan_bytes_max = 64'000;

/// Arguments are an object whose keys the tool knows.
Status check_keys(plan::JsonView arguments, std::string_view tool,
                  std::span<const std::string_view> known);

/// `jobs`: a list of 1 to 100, each with a name, a prompt and a safe id.
Status check_jobs(plan::JsonView arguments);

/// One job that is told to be the coordinator of many.
Status check_fan_out(plan::JsonView arguments);

/// A long argument is cut by providers while it streams, and then nothing has happened.
Status check_inline_size(plan::JsonView arguments);

/// `jobs_plan`: rows, template and the whole call within bounds.
Status check_plan_size(plan::JsonView arguments, std::size_t bytes);

}  // namespace pievt::tools::guards
