#include "supervisor/turn/workspaces.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "supervisor/turn/launcher.h"
#include "supervisor/turn/worktrees.h"
#include "supervisor/workspace/git_view.h"

namespace pievt::supervisor {
namespace {

namespace fs = std::filesystem;
using process::Clock;
using state::AttemptPhase;

// The loop serves nobody meanwhile. A tree that takes longer (somebody's home, a disk over the
// network) is not looked at again.
constexpr std::chrono::milliseconds walk_time_max{3000};

// How much of the time may go into walks that only sharpen who it was.
constexpr int rest_per_walk = 9;

constexpr std::size_t commits_max = 1000;
constexpr std::size_t writes_max = 10'000;
constexpr std::size_t part_bytes_max = 40'000;

// Heads and tree in one file, each behind its size.
void save(const fs::path& path, const workspace::Heads& heads, const workspace::Tree& tree) {
  std::error_code ignored;
  fs::create_directories(path.parent_path(), ignored);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << heads.commit << '\n' << heads.branch << '\n' << heads.tips.size() << '\n';
  for (const std::string& tip : heads.tips) file << tip << '\n';
  file << workspace::encode(tree);
}

struct Saved {
  workspace::Heads heads;
  workspace::Tree tree;
};

std::optional<Saved> load(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Saved saved;
  std::string count;
  std::getline(file, saved.heads.commit);
  std::getline(file, saved.heads.branch);
  std::getline(file, count);
  for (std::size_t i = std::strtoull(count.c_str(), nullptr, 10); i > 0 && file; --i) {
    saved.heads.tips.emplace_back();
    std::getline(file, saved.heads.tips.back());
  }
  if (!file) return std::nullopt;
  auto tree = workspace::decode((std::ostringstream() << file.rdbuf()).str());
  if (!tree.ok()) return std::nullopt;
  saved.tree = std::move(*tree);
  return saved;
}

// The repository whose tree is `root`; none where there is none, without looking further up.
std::optional<workspace::Repository> repository_at(const fs::path& root) {
  std::error_code ignored;
  if (!fs::exists(root / ".git", ignored)) return std::nullopt;
  return workspace::find_repository(root);
}

workspace::Heads heads_of(const fs::path& root) {
  const auto repository = repository_at(root);
  return repository ? workspace::read_heads(*repository) : workspace::Heads();
}

// Commits that were made meanwhile. Without git, or with objects that cannot be read, that HEAD
// moved is still known.
std::vector<std::string> commits_since(const fs::path& view, const fs::path& root,
                                       const workspace::Heads& before,
                                       const workspace::Heads& now) {
  if (before.tips == now.tips) return {};
  const auto repository = repository_at(root);
  if (!repository) return {};
  const auto git = workspace::GitView::create(view, workspace::object_format(*repository),
                                              {repository->common_directory / "objects"});
  if (!git.ok()) return {};
  auto made = git->new_commits(before.tips, now.tips, commits_max);
  return made.ok() ? std::move(*made) : std::vector<std::string>();
}

std::size_t size_of(const schema::WriteT& write) {
  std::size_t bytes = 160 + write.path.size() + write.detail.size() + 8 * write.evidence.size();
  for (const std::string& one : write.candidates) bytes += one.size() + 8;
  return bytes;
}

// An event has a bound, a change of ten thousand files has none.
Status propose_in_parts(RunRecord& record, Subject subject, schema::WritesObservedT event,
                        std::vector<std::unique_ptr<schema::WriteT>> writes) {
  if (writes.size() > writes_max) {
    event.omitted = writes.size() - writes_max;
    writes.resize(writes_max);
  }
  std::size_t bytes = 0;
  for (auto& write : writes) {
    const std::size_t size = size_of(*write);
    if (bytes + size > part_bytes_max && !event.writes.empty()) {
      schema::WritesObservedT next;
      next.root = event.root;
      next.part = std::max(event.part, 1u) + 1;
      event.part = next.part - 1;
      PIEVT_TRY(record.propose({std::move(event), subject}));
      event = std::move(next);
      bytes = 0;
    }
    bytes += size;
    event.writes.push_back(std::move(write));
  }
  PIEVT_TRY(record.propose({std::move(event), subject}));
  return {};
}

bool works(const AttemptState& attempt) {
  return attempt.phase != AttemptPhase::classified;
}

WriteRules rules_of(const RunState& run, Who who) {
  WriteRules rules{directory_of(run, who), {}, {}};
  const JobState* job = find_job(run, who.job);
  if (job == nullptr || job->declared == nullptr || job->declared->acceptance == nullptr)
    return rules;
  rules.allowed = job->declared->acceptance->allowed_write_paths;
  rules.forbidden = job->declared->acceptance->forbidden_write_paths;
  return rules;
}

}  // namespace

fs::path Workspaces::saved(const std::string& run, Who who) const {
  return store_ / "workspaces" / run / fmt::format("{}-{}.tree", who.job, who.attempt);
}

// A repository is one tree, wherever in it a job works.
fs::path Workspaces::root_of(const std::string& cwd) const {
  std::error_code error;
  fs::path where = fs::weakly_canonical(cwd, error);
  if (error) where = cwd;
  const auto repository = workspace::find_repository(where);
  return repository ? repository->work_tree : where;
}

Status Workspaces::look(RunRecord& record, const fs::path& root, Place& place) {
  workspace::WalkOptions options;
  options.time_max = walk_time_max;
  std::error_code unknown;
  const fs::path inside = fs::weakly_canonical(store_, unknown).lexically_relative(root);
  if (!unknown && !inside.empty() && *inside.begin() != "..")
    options.skip.push_back(inside.string());
  auto walked = workspace::walk(root.string(), options);
  place.too_large = !walked.ok() || walked->partial;
  if (!walked.ok()) return {};
  auto now = std::make_shared<workspace::Tree>(std::move(*walked));
  if (place.last && !place.too_large) {
    workspace::keep_digests(*place.last, *now);
    PIEVT_TRY(note_changes(record, root, place, *now));
  }
  place.last = std::move(now);
  place.walked_at = Clock::now();
  return {};
}

Status Workspaces::note_changes(RunRecord& record, const fs::path& root, Place& place,
                                workspace::Tree& now) {
  const auto differences = workspace::compare(*place.last, now);
  if (differences.empty()) return {};
  if (place.stays.empty()) {
    schema::WritesObservedT event;
    event.root = root.string();
    return propose_in_parts(record, {}, std::move(event), unattributed(root, differences));
  }
  std::vector<Who> running;
  for (const auto& [who, stay] : place.stays) running.push_back(who);
  for (auto& [who, stay] : place.stays) {
    for (const workspace::Difference& seen : differences) {
      std::vector<Who>& ran = stay.ran[seen.path()];
      ran.insert(ran.end(), running.begin(), running.end());
    }
  }
  return {};
}

Status Workspaces::before(RunRecord& record, Subject subject, const std::string& cwd) {
  const fs::path root = root_of(cwd);
  Place& place = places_[root];
  watch(record, subject, root, SeenWrites::Since::start);
  if (place.too_large) return {};
  // Another walk would only tell apart what changed just before this attempt, and who else runs is
  // known anyway.
  const bool recent = place.last && !place.stays.empty() &&
                      Clock::now() - place.walked_at <
                          std::chrono::milliseconds(place.last->duration_ms) * rest_per_walk;
  if (!recent) PIEVT_TRY(look(record, root, place));
  if (!place.last) return {};
  const workspace::Heads heads = heads_of(root);
  schema::WorkspaceObservedT event;
  event.root = root.string();
  event.files = place.last->entries.size();
  event.bytes = place.last->bytes;
  event.head_commit = heads.commit;
  event.branch = heads.branch;
  event.unreadable = place.last->unreadable;
  event.duration_ms = recent ? 0 : place.last->duration_ms;
  event.partial = place.too_large;
  PIEVT_TRY(record.propose({std::move(event), subject}));
  if (place.too_large) return {};
  const Who who{subject.job, subject.attempt};
  save(saved(record.run_id(), who), heads, *place.last);
  place.stays[who] = {place.last, heads, {}, true};
  return {};
}

void Workspaces::adopt(const RunRecord& record, Subject subject, const std::string& cwd) {
  watch(record, subject, root_of(cwd), SeenWrites::Since::later);
}

// In a tree of its own all is the attempt's, whoever wrote it.
void Workspaces::watch(const RunRecord& record, Subject subject, const fs::path& root,
                       SeenWrites::Since since) {
  const AttemptState* self = find_attempt(record.state(), subject.job, subject.attempt);
  if (self == nullptr || !self->worktree.empty()) return;
  seen_.begin({subject.job, subject.attempt}, marker_of(record.run_id(), subject), root, since);
}

// What an earlier supervisor saw before the attempt. Who else ran is then told by the record alone.
Status Workspaces::recover(Place& place, const fs::path& file, Who who) {
  auto found = load(file);
  if (!found) return {};
  place.stays[who] = {std::make_shared<workspace::Tree>(std::move(found->tree)),
                      std::move(found->heads),
                      {},
                      false};
  return {};
}

Status Workspaces::after(RunRecord& record, Subject subject, const std::string& cwd) {
  const fs::path root = root_of(cwd);
  const Who who{subject.job, subject.attempt};
  seen_.look_at_all();
  PIEVT_TRY(walk_again(record, subject, root, places_[root]));
  seen_.end(who);
  return {};
}

Status Workspaces::walk_again(RunRecord& record, Subject subject, const fs::path& root,
                              Place& place) {
  const Who who{subject.job, subject.attempt};
  const fs::path file = saved(record.run_id(), who);
  if (!place.stays.contains(who)) PIEVT_TRY(recover(place, file, who));
  if (place.stays.contains(who) && !place.too_large) {
    PIEVT_TRY(look(record, root, place));
    if (place.last && !place.too_large)
      PIEVT_TRY(tell(record, subject, root, place, place.stays.at(who)));
    const AttemptState* self = find_attempt(record.state(), subject.job, subject.attempt);
    if (self != nullptr && !self->worktree.empty() && place.last)
      PIEVT_TRY(keep_patch(record, subject, *place.stays.at(who).before, *place.last));
  }
  place.stays.erase(who);
  std::error_code ignored;
  fs::remove(file, ignored);
  fs::remove(file.parent_path(), ignored);
  return {};
}

// Who ran in the same tree while this attempt did.
void Workspaces::see_others(const RunState& run, const AttemptState& self, Sight& sight) const {
  std::map<std::string, bool> same_tree;  // by directory, and most attempts share one
  for (const auto& job : run.jobs) {
    for (const auto& attempt : job->attempts) {
      const Who who{job->number, attempt->number};
      const bool ended_before = !works(*attempt) && attempt->exited_ns < self.launched_ns;
      if (who == sight.who || ended_before || attempt->launched_ns == 0) continue;
      const auto [known, is_new] = same_tree.try_emplace(directory_of(run, who), false);
      if (is_new) known->second = root_of(known->first) == sight.root;
      if (!known->second) continue;
      sight.others.push_back(who);
      sight.names[who] = fmt::format("{}/{}", job->id, attempt->number);
      sight.zones[who] = rules_of(run, who);
    }
  }
}

Status Workspaces::tell(RunRecord& record, Subject subject, const fs::path& root, Place& place,
                        const Stay& stay) {
  const RunState& run = record.state();
  const AttemptState& self = *find_attempt(run, subject.job, subject.attempt);
  Sight sight;
  sight.root = root;
  sight.who = {subject.job, subject.attempt};
  sight.own_tree = !self.worktree.empty();
  sight.rules = rules_of(run, sight.who);
  std::error_code error;
  if (const fs::path real = fs::weakly_canonical(sight.rules.cwd, error); !error)
    sight.rules.cwd = real;
  sight.differences = workspace::compare(*stay.before, *place.last);
  for (const workspace::Difference& each : sight.differences) {
    if (each.after == nullptr || each.after->kind != workspace::Kind::file) continue;
    SeenWriters by = seen_.writers((root / each.after->path).string(), sight.who);
    if (!by.writers.empty()) sight.processes[each.path()] = std::move(by);
  }
  sight.outside = seen_.outside(sight.who, root);
  if (stay.whole) sight.ran = stay.ran;
  // Where nothing changed, nobody else is asked for; and who called no tool wrote nothing by one.
  const bool changed = !sight.differences.empty();
  if (changed) see_others(run, self, sight);
  sight.names[sight.who] = fmt::format("{}/{}", find_job(run, subject.job)->id, subject.attempt);
  if (changed || self.tool_calls > 0)
    sight.calls = PIEVT_TRY(tool_writes_.since(record, {self.first_revision}));
  schema::WritesObservedT event;
  event.root = root.string();
  event.head_before = stay.heads.commit;
  const workspace::Heads heads = heads_of(root);
  event.head_after = heads.commit;
  event.commits = commits_since(saved(record.run_id(), sight.who).replace_extension("git"), root,
                                stay.heads, heads);
  return propose_in_parts(record, subject, std::move(event), attribute(sight));
}

}  // namespace pievt::supervisor
