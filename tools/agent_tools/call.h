// One call of an agent tool: arguments in, lines of JSON out. What pi's extension and the MCP
// server run as a process of its own for each call, so that the life of the call is the life of a
// pipe. docs/agent_tools.md describes it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "tools/agent_tools/agent_tools.h"
#include "tools/agent_tools/caller_pipe.h"
#include "tools/render/writer.h"

namespace pievt::tools {

struct CallRequest {
  const AgentTool& tool;
  std::filesystem::path store;  ///< made when there is none
  Caller caller;
  std::string pi = "pi";
  bool probe = true;
  /// Whether this process runs inside an attempt, whose jobs may not begin others.
  bool nested = false;
  std::filesystem::path report{};  ///< where a worker's report goes; empty: nobody reads one
  /// Runs a reading command of ours; its output.
  std::function<Result<std::string>(const std::vector<std::string>& words)> read;
};

enum class CallEnd : std::uint8_t {
  ok,
  failed,      ///< the result says so: a guard refused, or not every job succeeded
  caller_gone  ///< nobody was there to be told
};

/// Reads the arguments from `caller`, does what they ask, and writes `started`, `progress` and one
/// `result` line to `out`. What goes wrong is a result as well: a model can read it.
CallEnd call(const CallRequest& request, CallerPipe& caller, render::Writer& out);

}  // namespace pievt::tools
