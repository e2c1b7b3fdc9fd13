// `pievt init`: makes a store. Harmless where there is one.
#include <fmt/format.h>

#include "pievt/log.h"
#include "tools/frame/context.h"

namespace pievt::tools::verbs {
namespace {

constexpr Manual manual_of_init = {
    .details =
        "Makes the directory .pievt here (or the one named by --store), readable by you alone. It "
        "ignores itself "
        "in git. Where there is a store already, nothing is changed, and where one has lost its "
        "file STORE "
        "it is refused.",
    .options = {},
    .examples = {{{"pievt init", "a store for this project"},
                  {"pievt init --store /srv/records/nightly", "a store elsewhere"}}},
};

}  // namespace

const Manual& init_manual() {
  return manual_of_init;
}

Result<Exit> init(Context& context) {
  const std::filesystem::path store = context.globals.store
                                          ? std::filesystem::path(*context.globals.store)
                                          : std::filesystem::current_path() / ".pievt";
  std::error_code unreadable;  // then opening it says so
  const bool existed = std::filesystem::exists(store / "STORE", unreadable);
  if (!existed) {
    Log made = PIEVT_TRY(Log::open(store, {.mode = OpenMode::create, .program = "pievt init"}));
    PIEVT_TRY(made.close());
  }
  const Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::read}));
  if (context.wants_json()) {
    auto json = context.json();
    json.begin_document("pievt.init", 1);
    json.member("store", store.string())
        .member("id", log.info().store_id)
        .member("created", !existed);
    json.end_object().end_document();
    return Exit::ok;
  }
  context.out.line(
      fmt::format("{} {}", existed ? "there is a store in" : "made a store in", store.string()));
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
