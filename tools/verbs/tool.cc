// `pievt tool`: the agent tools, for programs that show them to a model.
#include <array>
#include <filesystem>

#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "supervisor/plan/text.h"
#include "tools/agent_tools/agent_tools.h"
#include "tools/agent_tools/call.h"
#include "tools/agent_tools/commands.h"
#include "tools/frame/program.h"
#include "tools/render/table.h"
#include "tools/verbs/access.h"
#include "tools/verbs/settings_in_force.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_tool = {
    argument("action", "list, schema, call or command").required(),
    argument("name", "the tool, like jobs_plan"),
    argument("words", "command: its arguments").repeatable(),
    value("--model", "PROVIDER/MODEL", "call: for jobs that name none; the caller's own"),
    value("--thinking", "LEVEL", "call: for jobs that name none; the caller's own"),
    value("--pi", "PROGRAM", "call: the pi to run: a name on PATH or a path"),
    flag("--no-probe", "call: do not ask each model once first"),
};

constexpr Manual manual_of_tool = {
    .details =
        "What agents may call. list names the tools, schema prints the JSON schema of one's "
        "arguments, call does it: the first line of standard input is the arguments as JSON, and "
        "standard input stays open for as long as the call lives. Its end means that the caller is "
        "gone, and what becomes of the run then is said by onCallerGone; the line "
        "{\"type\":\"cancel\"} stops the run. Standard output has one JSON object a line: started, "
        "progress at least every two seconds, result. The exit code is 1 where the result is an "
        "error.\n\n"
        "pi's extension and pievt mcp call tools in this way. docs/agent_tools.md has the details.",
    .options = options_of_tool,
    .examples = {{{"pievt tool list", "what agents may call"},
                  {"pievt tool schema jobs_plan", "the arguments of one"}}},
};

Exit list(const Context& context) {
  if (context.wants_json()) {
    context.out.line(agent_tools_json());
    return Exit::ok;
  }
  render::Table table(
      {{.title = "TOOL"}, {.title = "", .narrow = render::Narrow::shrink, .width_min = 20}});
  for (const AgentTool& tool : agent_tools())
    table.row({std::string(tool.name), std::string(tool.description)});
  context.out.write(table.render(context.terminal));
  return Exit::ok;
}

// An agent does not make a store before it calls for jobs; the first call does.
std::filesystem::path store_or_new(const Context& context) {
  const auto found = store_path(context);
  return std::filesystem::absolute(found.ok() ? *found
                                              : std::filesystem::current_path() / ".pievt");
}

// Runs a command of this very program with its output in memory.
Result<std::string> read_command(const Context& context, const std::string& store,
                                 const std::vector<std::string>& words) {
  const int memory = ::memfd_create("pievt-answer", MFD_CLOEXEC);
  const int talk = ::memfd_create("pievt-talk", MFD_CLOEXEC);
  if (memory < 0 || talk < 0) return Error{Errc::io, "no memory for an answer"};
  const Fd keep_memory(memory), keep_talk(talk);
  render::FdWriter out(memory), err(talk);
  std::vector<std::string> all = words;
  all.insert(all.end(), {"--store", store, "--no-pager"});
  const Exit exit = run_program(context.tables, all, out, err, context.environment);
  const auto text_of = [](int fd) {
    std::string text(static_cast<std::size_t>(std::max<off_t>(::lseek(fd, 0, SEEK_END), 0)), '\0');
    const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return text;
  };
  if (exit == Exit::ok || exit == Exit::no) return text_of(memory);
  // The sentence; with -o json an object that says the same follows it.
  const std::string said = text_of(talk);
  return Error{Errc::not_found, std::string(plan::trimmed(said.substr(0, said.find("\n{"))))};
}

// What a person typed inside pi, as text.
Result<Exit> run_command(Context& context, std::string_view name) {
  const std::vector<std::string>& arguments = context.arguments.all("words");
  const std::filesystem::path store = store_or_new(context);
  if (name == "jobs-start") {
    const settings::Settings decided = PIEVT_TRY(settings_in_force(context, store));
    context.out.line(start_text(decided, fmt::format("{}", fmt::join(arguments, " "))));
    return Exit::ok;
  }
  const auto words = PIEVT_TRY(command_words(name, arguments));
  context.out.write(PIEVT_TRY(read_command(context, store.string(), words)));
  return Exit::ok;
}

Result<Exit> call_tool(Context& context, const AgentTool& tool) {
  const auto found = store_path(context);
  const std::filesystem::path store =
      std::filesystem::absolute(found.ok() ? *found : std::filesystem::current_path() / ".pievt");
  const char* inside = context.environment("PIEVT_ATTEMPT");
  const CallRequest request{.tool = tool,
                            .store = store,
                            .caller = {context.arguments.text_or("--model", ""),
                                       context.arguments.text_or("--thinking", "")},
                            .pi = context.arguments.text_or("--pi", "pi"),
                            .probe = !context.arguments.has("--no-probe"),
                            .nested = inside != nullptr && *inside != '\0',
                            .report = context.environment("PIEVT_REPORT") == nullptr
                                          ? ""
                                          : context.environment("PIEVT_REPORT"),
                            .read = [&](const std::vector<std::string>& words) {
                              return read_command(context, store.string(), words);
                            }};
  CallerPipe caller(STDIN_FILENO);
  switch (call(request, caller, context.out)) {
    case CallEnd::ok:
      return Exit::ok;
    case CallEnd::failed:
      return Exit::no;
    case CallEnd::caller_gone:
      return Exit::interrupted;
  }
  return Exit::bug;
}

}  // namespace

const Manual& tool_manual() {
  return manual_of_tool;
}

Result<Exit> tool(Context& context) {
  const std::string action = context.arguments.text_or("action", "");
  if (action == "list") return list(context);
  if (action != "schema" && action != "call" && action != "command") {
    return Error{Errc::invalid, fmt::format("pievt tool does not know {}; it knows list, schema "
                                            "NAME, call NAME and command NAME",
                                            plan::shown(action))};
  }
  const auto name = context.arguments.text("name");
  if (!name) return Error{Errc::invalid, fmt::format("pievt tool {} needs a tool's name", action)};
  if (action == "command") return run_command(context, *name);
  const AgentTool* const row = PIEVT_TRY(find_agent_tool(*name));
  if (action == "call") return call_tool(context, *row);
  context.out.line(row->parameters());
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
