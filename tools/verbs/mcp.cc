// `pievt mcp`: the agent tools over the Model Context Protocol, on standard input and output.
#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

#include "supervisor/launch/environment.h"
#include "tools/frame/context.h"
#include "tools/mcp/call_processes.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_mcp = {
    value("--pi", "PROGRAM", "the pi that workers are: a name on PATH or a path"),
    flag("--no-probe", "do not ask each model once before anything is spent on it"),
};

constexpr Manual manual_of_mcp = {
    .details =
        "An MCP server on standard input and output, for any client: job, jobs and jobs_plan begin "
        "supervised runs, runs and show read the record. A call answers when its run has ended and "
        "tells its progress every few seconds meanwhile; with detach it answers at once. A "
        "cancelled call stops its run. When the client is gone, onCallerGone decides.\n\n"
        "For pi 1.5, in ~/.pi/agent/mcp.json:\n"
        "  {\"mcpServers\": {\"pievt\": {\"command\": \"pievt\", \"args\": [\"mcp\"],\n"
        "                              \"exposure\": \"direct\"}}}",
    .options = options_of_mcp,
    .examples = {{{"pievt mcp", "serve a client"},
                  {"pievt mcp --store ~/book/.pievt", "for a store that is elsewhere"}}},
    .outputs = Outputs::text_only,
};

std::vector<std::string> words_of(const Context& context) {
  std::vector<std::string> words{"/proc/self/exe"};
  if (context.globals.store) words.insert(words.end(), {"--store", *context.globals.store});
  return words;
}

// Flags of the calls that come after the tool's name would read more naturally, but every flag may
// stand anywhere.
void add_flags(const Context& context, std::vector<std::string>& words) {
  if (const auto pi = context.arguments.text("--pi")) words.insert(words.end(), {"--pi", *pi});
  if (context.arguments.has("--no-probe")) words.emplace_back("--no-probe");
}

}  // namespace

const Manual& mcp_manual() {
  return manual_of_mcp;
}

Result<Exit> mcp(Context& context) {
  using Clock = pievt::tools::mcp::Server::Clock;
  std::vector<std::string> flags;
  add_flags(context, flags);
  pievt::tools::mcp::CallProcesses calls(words_of(context), launch::read_environment(environ),
                                         std::move(flags));
  pievt::tools::mcp::Server server(calls, [&](const std::string& line) {
    context.out.line(line);
    context.out.flush();
  });
  CallerPipe client(STDIN_FILENO);
  while (true) {
    auto line = client.next_line();
    while (line.ok() && *line) {
      if (!(*line)->empty()) server.client_line(std::move(**line), Clock::now());
      line = client.next_line();
    }
    if (!line.ok()) return line.error();
    if (client.ended() || context.out.done()) return Exit::ok;  // calls see that their pipes close
    std::vector<pollfd> wanted{{.fd = client.fd(), .events = POLLIN, .revents = 0}};
    calls.add_to(wanted);
    const auto now = Clock::now();
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(server.next_tick(now) - now);
    if (::poll(wanted.data(), wanted.size(), static_cast<int>(std::max<long>(wait.count(), 0))) <
            0 &&
        errno != EINTR)
      return Error{Errc::io, "the client cannot be waited for"};
    calls.serve(server, Clock::now());
    server.tick(Clock::now());
  }
}

}  // namespace pievt::tools::verbs
