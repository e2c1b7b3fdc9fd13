// What agents may call: one table. pi's extension and the MCP server show its rows to a model, and
// both call them through `pievt tool call`; names, descriptions, schemas and what is done stand
// here and nowhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "supervisor/plan/json_tree.h"

namespace pievt::tools {

/// What the calling program knows of itself: jobs that name no model get its own.
struct Caller {
  std::string model;     ///< `provider/model`; empty: pi's default
  std::string thinking;  ///< empty: pi's default
};

struct AgentTool {
  std::string_view name;
  std::string_view title;        ///< for people
  std::string_view description;  ///< for a model
  std::string (*parameters)();   ///< JSON schema of the arguments

  /// Tools that begin a run: the plan, once everything about the call has been checked. invalid: a
  /// guard refuses it; the sentence tells the model what to do instead. Nothing was written.
  Result<std::string> (*plan)(plan::JsonView arguments, const Caller& caller) = nullptr;

  /// Tools that only read: the words of the pievt command that answers.
  Result<std::vector<std::string>> (*command)(plan::JsonView arguments) = nullptr;

  /// The tool of workers: what is to be written where the supervisor looks for its report.
  Result<std::string> (*report)(plan::JsonView arguments) = nullptr;

  bool begins_run() const { return plan != nullptr; }
  bool is_for_workers() const { return report != nullptr; }
};

/// In the order in which they are shown.
std::span<const AgentTool> agent_tools();

/// not_found: names the nearest.
Result<const AgentTool*> find_agent_tool(std::string_view name);

/// {"tools":[{"name","title","description","begins_run","worker","parameters"},…]}: for the
/// extension, which reads it as a file beside itself, and for `pievt tool list`. One line.
std::string agent_tools_json();

/// What every tool that begins a run takes besides its own arguments.
struct CallOptions {
  bool detach = false;                   ///< answer once the run is planned
  std::optional<bool> stop_when_gone{};  ///< what becomes of the run when the caller is gone
};

/// invalid: `detach` or `onCallerGone` hold something else.
Result<CallOptions> call_options(plan::JsonView arguments);

/// The value as JSON, on one line.
std::string json_of(plan::JsonView value);

}  // namespace pievt::tools
