// What one job becomes: its own keys over those of "defaults" and of the templates.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "supervisor/plan/depends.h"
#include "supervisor/plan/document.h"
#include "supervisor/plan/matrix_source.h"

namespace pievt::plan {

/// What is written over what is there.
void override_budget(Budget& budget, const std::optional<WrittenBudget>& written);

struct ExpandedJob {
  JobSpec spec;  ///< without depends_on and the indexes of final messages
  std::vector<Wanted> wanted;
};

class JobExpander {
 public:
  enum class Origin { row, job };

  /// The arguments must outlive it and what it returns.
  JobExpander(const Document& document, const std::string& plan_name, PlanFiles& files,
              Problems& problems)
      : document_(document), plan_name_(plan_name), files_(files), problems_(problems) {}

  ExpandedJob expand(const Written& written, Origin origin, const std::string& id,
                     const std::string& label);

  /// Whether limits::expanded_bytes_max is used up, which has been noted; nothing more will fit.
  bool is_full() const { return is_full_; }

 private:
  struct One;  ///< the job that is being expanded, and its texts' expander

  const Text* prompt_text(const One& one);
  const Text* prompt_file(const One& one, const Text& path);
  bool add_context(One& one, const std::string& path, const Place& named_at);
  void fill_prompt(One& one);
  void fill_name_and_cwd(One& one);
  void fill_context(One& one);
  void fill_env(One& one);
  void fill_model(One& one);
  void fill_policies(One& one);
  // expand_acceptance.cc
  void fill_acceptance(One& one);
  void add_acceptance(One& one, const WrittenAcceptance& written);
  void add_required_path(One& one, const WrittenPath& written);
  // expand_isolation.cc
  void add_command(One& one, const WrittenCommand& written);
  void fill_isolation(One& one);
  /// Adds each text, expanded; `key` names the list in messages.
  void add_texts(One& one, const std::vector<Text>& written, std::string_view key,
                 std::vector<std::string>& texts);
  void add_env(One& one, const std::map<std::string, WrittenEnvValue>& written,
               std::map<std::string, std::variant<std::string, FromEnv>>& env);
  void fill_metadata(One& one);
  void want_dependencies(One& one);
  /// Counts what has been added to the plan against the limit.
  void count(std::size_t bytes, const Place& place);

  const Document& document_;
  const std::string& plan_name_;
  PlanFiles& files_;
  Problems& problems_;
  std::map<std::string, Text> prompt_files_;
  std::map<std::string, std::shared_ptr<const std::string>> contexts_;
  std::size_t bytes_ = 0;
  bool is_full_ = false;
};

}  // namespace pievt::plan
