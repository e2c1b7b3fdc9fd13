// A report as JSON (schema `pievt.audit`) and as SARIF 2.1.0, which code hosts show beside changes.
#pragma once

#include <span>

#include "tools/audit/report.h"
#include "tools/render/json_writer.h"

namespace pievt::audit {

inline constexpr std::string_view audit_schema = "pievt.audit";
inline constexpr int audit_schema_version = 1;

/// The members of one report, into the object that is open. Numbers of events are strings where
/// they could exceed what readers of JSON keep exact; money is in nano-dollars, and null where it
/// is not known.
void write_report_members(render::JsonWriter& json, const RunReport& report);

/// The members `requests`, `tokens`, ..., into the object that is open.
void write_spent_members(render::JsonWriter& json, const Spent& spent);

/// One SARIF log with a run of results for each report.
void write_sarif(render::JsonWriter& json, std::span<const RunReport> reports,
                 std::string_view pievt_version);

}  // namespace pievt::audit
