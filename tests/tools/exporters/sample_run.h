// A small run with everything exporters have to cope with: texts, output, a gate that fails, a job
// that never ran, words that are hostile to one format or another, a secret.
#pragma once

#include <string>

#include "pievt/run_source.h"
#include "tests/store/log/temp_store.h"
#include "tools/exporters/exporter.h"

namespace pievt::tools {

inline const std::string hostile =
    "</script><img src=x onerror=alert(1)> =cmd|' /C calc'!A0 ]]> \x1b[2J & \"quoted\", `code`";

struct SampleRun {
  std::string id = "r-1";
  std::string stdout_bytes, session_bytes;
  std::string prompt = "Count the bridges.\nAll of them.";
  std::string final_text = hostile + "\nSeven.";
  std::string secret = "sk-live-0123456789";
};

/// Writes it into the run's stream of `log`. Fails the test where that is not possible.
SampleRun write_sample(Log& log);

/// An event of a type that no version knows yet, appended to the run.
void append_unknown(Log& log, const std::string& run_id);

/// What an exporter writes, and its account.
struct Exported {
  std::string text;
  Manifest manifest;
};
Exported exported(std::string_view format, const RunSource& source, ExportOptions options = {});

}  // namespace pievt::tools
