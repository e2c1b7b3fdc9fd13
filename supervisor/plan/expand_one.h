// The job that is being expanded, for the files that expand it: expand_job.cc and
// expand_acceptance.cc.
#pragma once

#include <string>

#include "supervisor/plan/expand_job.h"

namespace pievt::plan {

/// What an entry of a list costs besides its text, so that a million empty ones count as well.
inline constexpr std::size_t entry_bytes = 64;

/// As in jobs_plan, what a row says about itself can be used in templates.
inline Vars about(const Written& written, const std::string& id) {
  Vars vars;
  const auto set = [&](const char* key, const std::string& value) {
    vars.insert_or_assign(key, Var{{value}, Var::Shape::text});
  };
  set("id", written.id ? written.id->value : id);
  if (written.name) set("name", written.name->value);
  if (written.cwd) set("cwd", written.cwd->value);
  return vars;
}

struct JobExpander::One {
  const Written& written;
  const Written& defaults;
  const Origin origin;
  const std::string& label;
  const Vars about_it;
  const Scope scope;
  const Expander expander;
  ExpandedJob job;

  One(const Written& own, const Written& all, Origin from, const std::string& id,
      const std::string& name, Problems& problems)
      : written(own),
        defaults(all),
        origin(from),
        label(name),
        about_it(about(own, id)),
        scope{own.vars, about_it, all.vars},
        expander(scope, label, problems) {
    job.spec.id = id;
  }
  One(const One&) = delete;
  One& operator=(const One&) = delete;
};

}  // namespace pievt::plan
