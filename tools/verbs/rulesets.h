// --ruleset of the verbs that judge.
#pragma once

#include <string>

#include "pievt/log.h"
#include "pievt/ruleset.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// The ruleset that --ruleset names; null without it, which means the newest. invalid: there is
/// none of that name; the sentence lists them.
Result<const Ruleset*> chosen_ruleset(const Context& context);

/// A stored text, or nothing where it is not in the store (any more).
std::string text_or_nothing(const Log& log, const schema::BlobRef& ref);

}  // namespace pievt::tools
