// Help is answered before anything is parsed, so that a line which is otherwise wrong can still ask
// for it.
#include "tools/frame/program.h"

#include <cerrno>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "tools/frame/context.h"
#include "tools/frame/nearest.h"
#include "tools/frame/parse.h"

namespace pievt::tools {
namespace {

Error unknown_verb(const Tables& tables, std::string_view typed) {
  std::vector<std::string_view> names;
  for (const Verb& verb : tables.verbs) names.push_back(verb.name);
  return {Errc::invalid, fmt::format("no verb is called \"{}\"{}; pievt help --all lists them",
                                     typed, did_you_mean(typed, names))};
}

// What the user typed, in the one form that is then run: a verb and the words that are left.
SplitLine as_verb(std::span<const std::string> words) {
  SplitLine line = split_verb(words);
  if (!line.verb.empty() && line.verb != "help" && asks_for_help(line.words)) {
    return {"help", {"--", line.verb}};
  }
  if (!line.verb.empty()) return line;
  if (line.words.size() == 1 && line.words[0] == "--version") return {"version", {}};
  // `pievt`, `pievt --help`, `pievt --utc`: all of them are the overview.
  line.verb = "help";
  return line;
}

Error with_help(Error error, const Verb& verb) {
  error.what += fmt::format("; see: pievt help{}{}", verb.name == "help" ? "" : " ",
                            verb.name == "help" ? "" : verb.name);
  return error;
}

Status check_output(const Verb& verb, const Globals& globals) {
  const Outputs outputs = verb.manual().outputs;
  const bool json = globals.output == OutputFormat::json || globals.output == OutputFormat::jsonl;
  const bool fits = globals.output == OutputFormat::text || outputs == Outputs::everything ||
                    (outputs == Outputs::text_json && json);
  if (!fits) {
    return Error{Errc::invalid,
                 fmt::format("{} writes {}", verb.name,
                             outputs == Outputs::text_only ? "only text" : "text, json or jsonl")};
  }
  if (!globals.fields.empty() && outputs != Outputs::everything) {
    return Error{Errc::invalid, fmt::format("{} has no --fields to choose from", verb.name)};
  }
  return {};
}

struct Streams {
  render::FdWriter& out;
  render::FdWriter& err;
  render::Environment environment;
};

Result<Exit> run_verb(const Tables& tables, const Verb& verb, std::span<const std::string> words,
                      const Streams& streams) {
  Result<Arguments> parsed = parse(verb.manual().options, words);
  if (!parsed.ok()) return with_help(std::move(parsed).error(), verb);
  const Arguments& arguments = parsed.value();
  const Globals globals = PIEVT_TRY(globals_from(arguments, streams.environment));
  PIEVT_TRY(check_output(verb, globals));
  const auto describe = [&](int fd) {
    return describe_terminal(render::ask_descriptor(fd), globals.color, streams.environment);
  };
  const render::Terminal terminal = describe(STDOUT_FILENO);
  Talk talk(streams.err, describe(STDERR_FILENO), globals.loudness);
  const bool pages = terminal.is_tty && globals.paging == Paging::allowed;
  render::Pager pager(
      streams.out, pages ? render::pager_command(streams.environment) : std::vector<std::string>());
  Context context{tables, verb,  arguments,          globals, streams.out, terminal,
                  talk,   pager, streams.environment};
  Result<Exit> done = verb.run(context);
  if (context.lacks_events && done.ok() && *done < Exit::corrupt) return Exit::corrupt;
  return done;
}

Exit failed(const Streams& streams, const Error& error, std::span<const std::string> words) {
  const Exit exit = exit_for(error.code);
  report_error(streams.err, error, exit, asks_for_json(words));
  return exit;
}

}  // namespace

Exit run_program(const Tables& tables, std::span<const std::string> words, render::FdWriter& out,
                 render::FdWriter& err, render::Environment environment) {
  const Streams streams{out, err, environment};
  const SplitLine line = as_verb(words);
  const Verb* const verb = find_verb(tables, line.verb);
  if (verb == nullptr) return failed(streams, unknown_verb(tables, line.verb), words);

  const Result<Exit> result = run_verb(tables, *verb, line.words, streams);
  out.flush();
  const Exit exit = result.ok() ? result.value() : failed(streams, result.error(), words);
  if (out.error() != 0 && out.error() != EPIPE) {
    return failed(streams, os_error(Errc::io, "cannot write to standard output", out.error()),
                  words);
  }
  err.flush();
  return exit;
}

}  // namespace pievt::tools
