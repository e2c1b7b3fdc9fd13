#include "tools/verbs/removed.h"

#include <fmt/format.h>

#include "tools/verbs/sealed_store.h"

namespace pievt::tools {

Result<std::optional<RemovedRun>> removed_run(const Context& context, const Log& log,
                                              std::string_view run) {
  if (context.opened != nullptr || run.empty()) return std::optional<RemovedRun>();
  RemovedRuns runs = PIEVT_TRY(removed_runs(log));
  const auto found = runs.find(run);
  if (found == runs.end()) return std::optional<RemovedRun>();
  return std::optional(std::move(found->second));
}

Error with_place_of_removed(const Context& context, const Log& log, std::string_view run,
                            Error failed) {
  const auto removed = removed_run(context, log, run);
  if (!removed.ok() || !*removed) return failed;
  // A chunk of output that is not there is damage to whoever does not know of its removal.
  if (failed.code != Errc::not_found && failed.code != Errc::corrupt) return failed;
  return {Errc::not_found,
          fmt::format("the texts and output of run {} were {}; ask the file instead of the run, or "
                      "take them back with: pievt unseal FILE",
                      run, (*removed)->sentence(log.info().directory))};
}

std::string removed_remark(const Context& context, const Log& log, std::string_view run) {
  // A remark: that it cannot be found out is said by whoever reads the texts.
  const auto removed = removed_run(context, log, run);
  if (!removed.ok() || !*removed) return {};
  return fmt::format("; its texts and output were {}", (*removed)->sentence(log.info().directory));
}

}  // namespace pievt::tools
