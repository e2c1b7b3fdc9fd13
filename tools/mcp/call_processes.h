// The processes that do the calls of an MCP server: `pievt tool call NAME`, each with a pipe to it
// and one from it. When this program ends, however it does, their pipes close, and each of them
// knows that its caller is gone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <poll.h>

#include "store/log/fd.h"
#include "supervisor/process/process.h"
#include "supervisor/process/spawn.h"
#include "tools/agent_tools/caller_pipe.h"
#include "tools/mcp/server.h"

namespace pievt::tools::mcp {

class CallProcesses : public Calls {
 public:
  /// `words`: of the command, before `tool call NAME`; `flags`: behind it. `environment`: what
  /// they get.
  CallProcesses(std::vector<std::string> words, std::vector<process::Variable> environment,
                std::vector<std::string> flags)
      : words_(std::move(words)), environment_(std::move(environment)), flags_(std::move(flags)) {}

  Status start(CallNumber number, const std::string& tool, const std::string& arguments) override;
  void cancel(CallNumber number) override;

  /// What to wait for: the outputs of all.
  void add_to(std::vector<pollfd>& wanted) const;
  /// Hands the server what has come.
  void serve(Server& server, Server::Clock::time_point now);

 private:
  struct Running {
    process::Process process;
    Fd to;
    Fd from;
    CallerPipe lines;
    std::string unsent;
  };
  void send(Running& running);

  std::vector<std::string> words_;
  std::vector<process::Variable> environment_;
  std::vector<std::string> flags_;
  std::map<CallNumber, Running> running_;
};

}  // namespace pievt::tools::mcp
