// Where in the file of a plan something stands that was read from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "supervisor/plan/json_tree.h"

namespace pievt::lint {

class Places {
 public:
  /// `text`: the plan, which could be read. Must outlive it.
  explicit Places(const plan::Source& source);

  /// The entry of a job's contract, as written; where that is not found (it came out of a template)
  /// the key, else the job, else the beginning.
  plan::Source::Position entry(std::string_view job, std::string_view key,
                               std::string_view text) const;
  /// A key of the job, of its template or of the defaults.
  plan::Source::Position key(std::string_view job, std::string_view key) const;
  plan::Source::Position job(std::string_view id) const;

  const std::optional<plan::JsonTree>& tree() const { return tree_; }
  plan::Source::Position at(const plan::Place& place) const;

 private:
  std::optional<plan::JsonView> find_job(std::string_view id) const;
  std::vector<plan::JsonView> contracts(std::string_view job) const;

  const plan::Source& source_;
  std::optional<plan::JsonTree> tree_;
};

}  // namespace pievt::lint
