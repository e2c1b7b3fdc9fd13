#include "tools/verbs/rulesets.h"

#include <fmt/format.h>

#include "pievt/bytes.h"

namespace pievt::tools {

Result<const Ruleset*> chosen_ruleset(const Context& context) {
  const auto name = context.arguments.text("--ruleset");
  if (!name) return static_cast<const Ruleset*>(nullptr);
  if (const Ruleset* found = find_ruleset(*name)) return found;
  std::string names;
  for (const Ruleset& each : rulesets())
    names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
  return Error{Errc::invalid,
               fmt::format("--ruleset: there is no \"{}\"; there are {}", *name, names)};
}

std::string text_or_nothing(const Log& log, const schema::BlobRef& ref) {
  const auto bytes = log.get_blob(ref);
  if (!bytes.ok()) return "";
  return std::string(text_of(*bytes));
}

}  // namespace pievt::tools
