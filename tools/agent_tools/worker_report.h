// job_report: a worker hands in what it made and what shows it. It is written where the supervisor
// looks when the attempt has ended; whether it counts is decided there, again.
#pragma once

#include <filesystem>
#include <string>

#include "pievt/result.h"
#include "supervisor/plan/json_tree.h"

namespace pievt::tools {

std::string job_report_schema();

/// The report as a file, from the tool's arguments. invalid: it is none, with what is wrong.
Result<std::string> report_of(plan::JsonView arguments);

/// Puts it in place at once, readable by its user alone. A second one replaces the first.
Status write_report(const std::filesystem::path& path, std::string_view report);

}  // namespace pievt::tools
