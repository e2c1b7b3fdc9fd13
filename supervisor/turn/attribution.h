// Who wrote what: pure, from what was seen of the tree and what tools were told.
//
// A name is given only with evidence for it: a tool call that names the path, a process that the
// kernel saw write it, a tree that was the attempt's own, or that nobody else ran there. Else the
// answer is a list, or that it was nobody of ours; never a guess.
#pragma once

#include <compare>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "pievt/event.h"
#include "supervisor/workspace/tree.h"

namespace pievt::supervisor {

/// Job and attempt, as keys.
struct Who {
  std::uint32_t job = 0;
  std::uint32_t attempt = 0;
  friend auto operator<=>(const Who&, const Who&) = default;
};

/// A write or edit call, as far as the log tells.
struct ToolWrite {
  Who who;
  std::filesystem::path path;  ///< absolute and normal
  std::uint64_t revision = 0;  ///< of the event that began it
  std::string tool;
  bool failed = false;
};

/// A process of an attempt that the kernel saw write a file; one of them, where several did.
struct ProcessWrite {
  Who who;
  std::int32_t pid = 0;
  std::string program;
};

/// Who wrote a file, as far as processes were seen.
struct SeenWriters {
  std::vector<ProcessWrite> writers;  ///< each attempt once
  bool others = false;                ///< there may have been more, of which nothing is known
};

/// A write of a file outside of the tree that is walked.
struct OutsideWrite {
  std::string path;  ///< absolute
  ProcessWrite write;
};

/// What an attempt may write to, by its contract.
struct WriteRules {
  std::filesystem::path cwd;
  std::vector<std::string> allowed, forbidden;
};

/// Of a path relative to `root`, or absolute outside of it.
schema::WriteZone zone_of(const std::filesystem::path& root, const std::string& path,
                          const WriteRules& rules);

struct Sight {
  std::filesystem::path root;
  Who who;
  bool own_tree = false;
  WriteRules rules;
  std::vector<workspace::Difference> differences;
  /// For a path that changed: who ran there when it did. A path that is missing: `others`.
  std::map<std::string, std::vector<Who>> ran;
  std::vector<Who> others;       ///< who ran there at any time while this attempt did
  std::vector<ToolWrite> calls;  ///< of all attempts that ran there meanwhile
  /// For a path that changed: whose processes wrote the file that is there now.
  std::map<std::string, SeenWriters> processes;
  std::vector<OutsideWrite> outside;  ///< of this attempt
  std::map<Who, std::string> names;   ///< `job/attempt`, for lists
  std::map<Who, WriteRules> zones;    ///< of the others
};

/// The writes of one attempt. Left out: what another attempt's tool call names, or another one's
/// process was seen to write, and none of this one's. Added: what this one's calls name, or its
/// processes wrote, outside of the root.
std::vector<std::unique_ptr<schema::WriteT>> attribute(const Sight& sight);

/// What changed while nobody of ours ran there.
std::vector<std::unique_ptr<schema::WriteT>> unattributed(
    const std::filesystem::path& root, const std::vector<workspace::Difference>& differences);

}  // namespace pievt::supervisor
