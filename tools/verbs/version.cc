// `pievt version`: for bug reports and for scripts that need at least some version.
#include <array>

#include "tools/frame/context.h"
#include "tools/frame/versions.h"

namespace pievt::tools::verbs {
namespace {

constexpr Manual manual_of_version = {
    .details =
        "With -v also the build, the compiler, the libraries and the store format, for bug "
        "reports.",
    .examples = {{{"pievt version -v", "everything a bug report needs"},
                  {"pievt version --json | jq -r .version", "only the number, for a script"}}},
    .outputs = Outputs::text_json,
};

void write_version_json(const Context& context) {
  render::JsonWriter json = context.json();
  json.begin_document("pievt.version", 1)
      .member("version", program_version())
      .member("store_format", store_format())
      .member("build", build_type())
      .member("compiler", compiler());
  json.key("libraries").begin_array();
  for (const LibraryVersion& library : library_versions()) {
    json.begin_object();
    json.member("name", library.name).member("version", library.version).end_object();
  }
  json.end_array().end_object();
  json.end_document();
}

void write_text(const Context& context) {
  context.out.print("pievt {}\n", program_version());
  if (context.globals.loudness != Loudness::verbose) return;
  context.out.print("store format {}\nbuild {}\ncompiler {}\n", store_format(), build_type(),
                    compiler());
  for (const LibraryVersion& library : library_versions()) {
    context.out.print("{} {}\n", library.name, library.version);
  }
}

}  // namespace

const Manual& version_manual() {
  return manual_of_version;
}

Result<Exit> version(Context& context) {
  if (context.wants_json()) {
    write_version_json(context);
  } else {
    write_text(context);
  }
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
