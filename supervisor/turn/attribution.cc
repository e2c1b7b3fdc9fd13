#include "supervisor/turn/attribution.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"
#include "supervisor/check/path_pattern.h"
#include "supervisor/pi/text.h"

namespace pievt::supervisor {
namespace {

namespace fs = std::filesystem;
using schema::Attribution;
using schema::WriteZone;
using workspace::Change;
using workspace::Difference;

schema::WriteChange to_schema(Change change) {
  switch (change) {
    case Change::created:
      return schema::WriteChange::created;
    case Change::modified:
      return schema::WriteChange::modified;
    case Change::deleted:
      return schema::WriteChange::deleted;
    case Change::type_changed:
      return schema::WriteChange::type_changed;
    case Change::mode_changed:
      return schema::WriteChange::mode_changed;
  }
  return schema::WriteChange::unknown;
}

std::unique_ptr<schema::WriteT> describe(const Difference& seen) {
  auto write = std::make_unique<schema::WriteT>();
  write->path = seen.path();
  write->change = to_schema(seen.change);
  const auto digest = [](const workspace::Entry& entry) {
    return entry.digest ? std::make_unique<schema::Digest>(*entry.digest) : nullptr;
  };
  if (seen.before != nullptr) {
    write->size_before = seen.before->size;
    write->digest_before = digest(*seen.before);
  }
  if (seen.after != nullptr) {
    write->size_after = seen.after->size;
    write->digest_after = digest(*seen.after);
  }
  return write;
}

// git takes its orders from here.
bool is_git_administration(const std::string& path) {
  return path == ".git" || path.starts_with(".git/") || path.find("/.git/") != std::string::npos ||
         path.ends_with("/.git");
}

bool covers(const std::vector<std::string>& patterns, const std::string& path) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return acceptance::matches(path, pattern); });
}

// As patterns are written: relative to the job's directory where it lies there.
std::string seen_from(const fs::path& cwd, const fs::path& whole) {
  const fs::path inside = whole.lexically_relative(cwd);
  const bool outside = inside.empty() || *inside.begin() == "..";
  return outside ? whole.string() : inside.string();
}

class Attributor {
 public:
  explicit Attributor(const Sight& sight) : sight_(sight) {}

  std::vector<std::unique_ptr<schema::WriteT>> run() {
    for (const Difference& seen : sight_.differences) take(seen);
    add_outside();
    return std::move(writes_);
  }

 private:
  void take(const Difference& seen) {
    auto write = describe(seen);
    const fs::path whole = (sight_.root / write->path).lexically_normal();
    write->zone = zone_of(sight_.root, write->path, sight_.rules);
    bool others_called = false;
    for (const ToolWrite& call : sight_.calls) {
      if (call.path != whole) continue;
      if (call.who == sight_.who)
        write->evidence.push_back(call.revision);
      else
        others_called = true;
    }
    const auto seen_by = sight_.processes.find(write->path);
    const SeenWriters none;
    const SeenWriters& processes = seen_by == sight_.processes.end() ? none : seen_by->second;
    const ProcessWrite* wrote = own_of(processes.writers);
    const bool others_wrote = !processes.writers.empty() && !processes.others;
    if (sight_.own_tree) {
      write->attribution = Attribution::own_tree;
    } else if (!write->evidence.empty()) {
      write->attribution = Attribution::tool;
    } else if (wrote != nullptr) {
      write->attribution = Attribution::process;
      write->detail = told(*wrote);
    } else if (others_called || others_wrote) {
      return;  // it is in the list of whoever did it
    } else {
      guess_nothing(*write, whole);
    }
    writes_.push_back(std::move(write));
  }

  const ProcessWrite* own_of(const std::vector<ProcessWrite>& writes) const {
    const auto own = std::ranges::find(writes, sight_.who, &ProcessWrite::who);
    return own == writes.end() ? nullptr : &*own;
  }

  static std::string told(const ProcessWrite& write) {
    return fmt::format("process {}, {}", write.pid, one_line(pi::utf8_excerpt(write.program, 32)));
  }

  // No call names the path and no process was seen: a shell, a program, or somebody else.
  void guess_nothing(schema::WriteT& write, const fs::path& whole) {
    const auto ran = sight_.ran.find(write.path);
    std::vector<Who> who = ran == sight_.ran.end() ? sight_.others : ran->second;
    if (ran == sight_.ran.end()) who.push_back(sight_.who);
    std::ranges::sort(who);
    who.erase(std::unique(who.begin(), who.end()), who.end());
    if (who.size() == 1 && who.front() == sight_.who) {
      write.attribution = Attribution::only_one_running;
      return;
    }
    write.attribution = who.empty() ? Attribution::nobody_of_ours : Attribution::one_of;
    std::string in_zone_of;
    for (const Who& one : who) {
      const auto name = sight_.names.find(one);
      if (name == sight_.names.end()) continue;
      write.candidates.push_back(name->second);
      const auto rules = sight_.zones.find(one);
      if (one != sight_.who && rules != sight_.zones.end() &&
          covers(rules->second.allowed, seen_from(rules->second.cwd, whole)))
        in_zone_of = name->second;
    }
    if (!in_zone_of.empty()) write.detail = fmt::format("lies in the zone of {}", in_zone_of);
  }

  // As far as calls tell, and as the kernel does where somebody's tree is: what a shell writes
  // elsewhere nobody sees.
  void add_outside() {
    std::map<std::string, schema::WriteT*> known;
    const auto write_to = [&](const std::string& path, Attribution by) -> schema::WriteT& {
      schema::WriteT*& write = known[path];
      if (write == nullptr) {
        writes_.push_back(std::make_unique<schema::WriteT>());
        write = writes_.back().get();
        write->path = path;
        write->attribution = by;
        write->zone = zone_of(sight_.root, path, sight_.rules);
      }
      return *write;
    };
    for (const ToolWrite& call : sight_.calls) {
      if (call.who != sight_.who || call.failed) continue;
      const fs::path inside = call.path.lexically_relative(sight_.root);
      if (!inside.empty() && *inside.begin() != "..") continue;
      schema::WriteT& write = write_to(call.path.string(), Attribution::tool);
      write.detail = "outside of what is walked; known from the call alone";
      write.evidence.push_back(call.revision);
    }
    for (const OutsideWrite& seen : sight_.outside) {
      schema::WriteT& write = write_to(seen.path, Attribution::process);
      write.detail = fmt::format("outside of what is walked; {}", told(seen.write));
    }
  }

  const Sight& sight_;
  std::vector<std::unique_ptr<schema::WriteT>> writes_;
};

}  // namespace

WriteZone zone_of(const fs::path& root, const std::string& path, const WriteRules& rules) {
  const fs::path whole = (root / path).lexically_normal();
  const fs::path inside = whole.lexically_relative(root);
  if (is_git_administration(path)) return WriteZone::git_administration;
  const std::string seen = seen_from(rules.cwd, whole);
  if (covers(rules.forbidden, seen)) return WriteZone::forbidden;
  if (covers(rules.allowed, seen)) return WriteZone::inside;
  if (inside.empty() || *inside.begin() == "..") return WriteZone::outside_repository;
  return rules.allowed.empty() ? WriteZone::undeclared : WriteZone::outside;
}

std::vector<std::unique_ptr<schema::WriteT>> attribute(const Sight& sight) {
  return Attributor(sight).run();
}

std::vector<std::unique_ptr<schema::WriteT>> unattributed(
    const fs::path& root, const std::vector<Difference>& differences) {
  std::vector<std::unique_ptr<schema::WriteT>> writes;
  for (const Difference& seen : differences) {
    writes.push_back(describe(seen));
    writes.back()->attribution = Attribution::nobody_of_ours;
    writes.back()->zone = zone_of(root, writes.back()->path, {root, {}, {}});
  }
  return writes;
}

}  // namespace pievt::supervisor
