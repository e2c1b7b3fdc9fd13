// `pievt config`: the settings in force, checked, and the shape of their file.
#include <array>

#include <fmt/format.h>

#include "supervisor/settings/settings_json.h"
#include "tools/verbs/access.h"
#include "tools/verbs/settings_in_force.h"

namespace pievt::tools {

Result<settings::Settings> settings_in_force(const Context& context,
                                             const std::filesystem::path& store) {
  settings::SettingsFile file =
      PIEVT_TRY(settings::load_settings(store, std::filesystem::current_path()));
  for (const std::string& warning : file.warnings) context.talk.warn(warning);
  return std::move(file.settings);
}

namespace verbs {
namespace {

constexpr std::array options_of_config = {
    flag("--schema", "print the JSON schema of config.json, for editors"),
    flag("--reference", "print the table of all keys, as in docs/settings.md"),
};

constexpr Manual manual_of_config = {
    .details =
        "Reads config.json of the store and, below it, .pi/jobs-settings.json of the working "
        "directory, and prints what holds: one JSON object that would mean the same. Of hooks only "
        "the program is shown, because an argument may be a secret. Mistakes are told with file, "
        "line and column, and nothing else uses a file that has one.",
    .options = options_of_config,
    .examples = {{{"pievt config", "what holds here"},
                  {"pievt config --schema > config.schema.json",
                   "let an editor complete the keys"}}},
};

}  // namespace

const Manual& config_manual() {
  return manual_of_config;
}

Result<Exit> config(Context& context) {
  if (context.arguments.has("--schema")) {
    context.out.write(settings::settings_schema());
    return Exit::ok;
  }
  if (context.arguments.has("--reference")) {
    context.out.write(settings::settings_markdown());
    return Exit::ok;
  }
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  const settings::SettingsFile file =
      PIEVT_TRY(settings::load_settings(store, std::filesystem::current_path()));
  for (const std::string& warning : file.warnings) context.talk.warn(warning);
  if (file.files.empty()) {
    context.talk.say(
        fmt::format("no {}: these are the defaults", (store / "config.json").string()));
  }
  for (const std::string& name : file.files) context.talk.say(fmt::format("from {}", name));
  context.out.line(settings::settings_json(file.settings));
  return Exit::ok;
}

}  // namespace verbs
}  // namespace pievt::tools
