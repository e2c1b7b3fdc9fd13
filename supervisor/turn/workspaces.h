// The trees that attempts of this run work in, as the supervisor sees them: a walk before each
// attempt and one after it, and between them who ran when. What changed becomes WritesObserved.
//
// A walk is compared with the one before it, whoever asked for that: so a change is known to have
// happened between two moments, and only those who ran between them can have made it. Where the
// kernel tells who writes (seen_writes.h), that is evidence beside it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "supervisor/process/clock.h"
#include "supervisor/record/run_record.h"
#include "supervisor/turn/attribution.h"
#include "supervisor/turn/seen_writes.h"
#include "supervisor/turn/tool_writes.h"
#include "supervisor/workspace/git_files.h"
#include "supervisor/workspace/tree.h"

namespace pievt::supervisor {

class Workspaces {
 public:
  explicit Workspaces(std::filesystem::path store) : store_(std::move(store)), seen_(store_) {}

  /// Just before the attempt's process is started in `cwd`: walks the tree it will work in and
  /// proposes WorkspaceObserved. What cannot be walked is no error: nothing will be known then.
  Status before(RunRecord& record, Subject subject, const std::string& cwd);

  /// Of an attempt that an earlier supervisor started and that goes on.
  void adopt(const RunRecord& record, Subject subject, const std::string& cwd);

  /// What the kernel tells of writes meanwhile; to be taken when it has something to tell.
  SeenWrites& seen() { return seen_; }

  /// When nothing of the attempt runs any more: walks again and proposes WritesObserved. Commits
  /// what was proposed where the log has to be read for tool calls. Without a walk before it, of
  /// this or an earlier supervisor, nothing.
  Status after(RunRecord& record, Subject subject, const std::string& cwd);

 private:
  /// One attempt between its two walks.
  struct Stay {
    std::shared_ptr<workspace::Tree> before;
    workspace::Heads heads;
    std::map<std::string, std::vector<Who>> ran;  ///< for each path that changed: who ran then
    bool whole = true;                            ///< every change since `before` is in `ran`
  };

  /// One directory that is walked.
  struct Place {
    std::shared_ptr<workspace::Tree> last;
    process::Moment walked_at{};
    std::map<Who, Stay> stays;
    bool too_large = false;
  };

  std::filesystem::path root_of(const std::string& cwd) const;
  void watch(const RunRecord& record, Subject subject, const std::filesystem::path& root,
             SeenWrites::Since since);
  Status walk_again(RunRecord& record, Subject subject, const std::filesystem::path& root,
                    Place& place);
  Status look(RunRecord& record, const std::filesystem::path& root, Place& place);
  Status note_changes(RunRecord& record, const std::filesystem::path& root, Place& place,
                      workspace::Tree& now);
  Status recover(Place& place, const std::filesystem::path& file, Who who);
  void see_others(const RunState& run, const AttemptState& self, Sight& sight) const;
  Status tell(RunRecord& record, Subject subject, const std::filesystem::path& root, Place& place,
              const Stay& stay);
  std::filesystem::path saved(const std::string& run, Who who) const;

  std::filesystem::path store_;
  SeenWrites seen_;
  ToolWrites tool_writes_;
  std::map<std::filesystem::path, Place> places_;
};

}  // namespace pievt::supervisor
