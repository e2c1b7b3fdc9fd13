// Names of groups and the search in the sorted table.
#include "tools/frame/verb.h"

#include <algorithm>

namespace pievt::tools {

std::string_view name_of(Group group) {
  switch (group) {
    case Group::run:
      return "run";
    case Group::read:
      return "read";
    case Group::audit:
      return "audit";
    case Group::trust:
      return "trust";
    case Group::move:
      return "move";
    case Group::serve:
      return "serve";
    case Group::measure:
      return "measure";
    case Group::about:
      return "about";
  }
  return "";
}

std::string_view title_of(Group group) {
  switch (group) {
    case Group::run:
      return "Run: start agents, stop them, go on";
    case Group::read:
      return "Read: what is, and what was";
    case Group::audit:
      return "Audit: why it came out so";
    case Group::trust:
      return "Trust: that the record is whole and unedited";
    case Group::move:
      return "Move: in, out, and into safety";
    case Group::serve:
      return "Serve: to browsers and to agents";
    case Group::measure:
      return "Measure";
    case Group::about:
      return "About pievt";
  }
  return "";
}

const Verb* find_verb(const Tables& tables, std::string_view name) {
  const auto found = std::ranges::lower_bound(tables.verbs, name, {}, &Verb::name);
  return found != tables.verbs.end() && found->name == name ? &*found : nullptr;
}

}  // namespace pievt::tools
