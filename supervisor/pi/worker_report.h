// What a worker hands over about its own work, and what its tools were told to write: JSON of a
// model's making, read with distrust.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"

namespace pievt::pi {

struct ReportItem {
  std::string path;
  std::string kind;  ///< file, dir, note or command
};

struct WorkerReport {
  std::string attempt;  ///< whose it says it is; empty: it does not say
  std::string status;   ///< completed, partial, blocked or error
  std::string summary;
  std::vector<ReportItem> deliverables;
  std::string user_action;   ///< what it needs of a person; empty: nothing
  std::size_t evidence = 0;  ///< values that are not blank
  std::string text;          ///< summary, deliverables and evidence, the lists as JSON, a line each
};

/// Errc::invalid: it is no report, with what is wrong. `job`: whose it must be.
Result<WorkerReport> read_worker_report(std::string_view json, std::string_view job);

enum class ToolEffect : std::uint8_t {
  none,   ///< reads, or something that pi does not have
  write,  ///< writes the file it names
  shell,  ///< may write anything
};

ToolEffect effect_of(std::string_view tool);

/// The file that a call of a writing tool names, from its arguments; nothing when they do not say.
std::optional<std::string> written_path(std::string_view arguments_json);

}  // namespace pievt::pi
