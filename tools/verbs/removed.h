// What verbs say of a run whose texts and output were removed after it was sealed: where they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pievt/sealed.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// What the store in `log` says of the run: nothing where its texts and output are there.
/// `context`: a run that was read out of a sealed file has them.
Result<std::optional<RemovedRun>> removed_run(const Context& context, const Log& log,
                                              std::string_view run);

/// `failed`, where it says that a text or output of the run is not there, with where it is; any
/// other error as it is.
Error with_place_of_removed(const Context& context, const Log& log, std::string_view run,
                            Error failed);

/// For the line that says what one looks at: `; its texts and output were removed after it was
/// sealed into FILE`. Empty where they are there.
std::string removed_remark(const Context& context, const Log& log, std::string_view run);

}  // namespace pievt::tools
