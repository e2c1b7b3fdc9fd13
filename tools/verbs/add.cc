// `pievt add RUN --job FILE`: one more job for a run that is being supervised.
#include <fstream>
#include <iostream>
#include <sstream>

#include <fmt/format.h>

#include "tools/verbs/control.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_add = {
    argument("run", "which run; the one that is being supervised when left out")
        .completing(Complete::runs),
    value("--job", "FILE", "a job, as in the \"jobs\" of a plan; - is standard input")
        .required()
        .completing(Complete::files),
};

constexpr Manual manual_of_add = {
    .details =
        "The job is an object as in a plan's \"jobs\" and is checked by the same rules. It may "
        "depend on jobs of the run and use their final messages. Defaults and templates of the "
        "run's plan are not applied to it. Files that it names are looked for beside FILE, or in "
        "the working directory. Variables it takes from the environment are taken from the "
        "supervisor's.",
    .options = options_of_add,
    .examples = {{{"pievt add last --job extra.json", "a job from a file"},
                  {"echo '{\"id\":\"sum\",\"prompt\":\"Add up.\"}' | pievt add --job -",
                   "a job from a pipe"}}},
};

struct Source {
  std::string text;
  std::filesystem::path directory;
};

Result<Source> read_source(const std::string& file) {
  std::ostringstream text;
  if (file == "-") {
    text << std::cin.rdbuf();
    return Source{text.str(), std::filesystem::current_path()};
  }
  const std::ifstream in(file, std::ios::binary);
  if (!in) return os_error(Errc::not_found, fmt::format("cannot read {}", file), errno);
  text << in.rdbuf();
  return Source{text.str(), std::filesystem::absolute(file).parent_path()};
}

}  // namespace

const Manual& add_manual() {
  return manual_of_add;
}

Result<Exit> add(Context& context) {
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(open_to_read(context));
  const Source source = PIEVT_TRY(read_source(context.arguments.text_or("--job", "")));
  const Reference run =
      PIEVT_TRY(supervised_run(context, log, store, context.arguments.text("run")));
  return ask(context, log, store, run.run, control::AddJob{source.text, source.directory.string()});
}

}  // namespace pievt::tools::verbs
