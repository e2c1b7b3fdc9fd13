#include "tools/verbs/state_leaves.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include <fmt/format.h>

#include "tools/render/utf8.h"

namespace pievt::tools {
namespace {

Result<Leaves> below(const RunState& part, std::string_view prefix) {
  Leaves leaves = PIEVT_TRY(reflect::flatten(reflect::Schema::embedded_run_state(), to_bytes(part),
                                             reflect::Defaults::hidden));
  std::erase_if(leaves,
                [](const reflect::Leaf& leaf) { return leaf.path.empty(); });  // nothing yet
  if (prefix.empty()) return leaves;
  Leaves kept;
  for (reflect::Leaf& leaf : leaves) {
    if (!leaf.path.starts_with(prefix)) continue;
    leaf.path.erase(0, prefix.size());
    kept.push_back(std::move(leaf));
  }
  return kept;
}

// Four hexadecimal digits; 0xFFFD where there are none.
char32_t code_unit(std::string_view digits) {
  std::uint32_t unit = 0;
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  return failed == std::errc() && end == digits.data() + 4 ? unit : 0xFFFD;
}

// What stands between the quotes of a JSON text, as it was meant.
std::string unescaped(std::string_view text) {
  constexpr std::string_view escapes = "bfnrt", means = "\b\f\n\r\t";
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    const char c = text[++at];
    if (const std::size_t which = escapes.find(c); which != escapes.npos) {
      out += means[which];
    } else if (c == 'u') {
      char32_t point = code_unit(text.substr(at + 1, 4));
      at = std::min(at + 4, text.size() - 1);
      if (point >= 0xD800 && point < 0xDC00 && text.substr(at + 1, 2) == "\\u") {
        const char32_t low = code_unit(text.substr(at + 3, 4));
        point = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00)
                                              : 0xFFFD;
        at = std::min(at + 6, text.size() - 1);
      }
      render::append_utf8(out, point);
    } else {
      out += c;
    }
  }
  return out;
}

// Reads JSON that was checked by whoever wrote it; on anything else it stops.
class JsonLeaves {
 public:
  explicit JsonLeaves(std::string_view text) : text_(text) {}

  Leaves run() {
    value("");
    return std::move(leaves_);
  }

 private:
  void blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }
  bool take(char wanted) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  std::string_view string() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2u : 1u;
    at_ = std::min(at_, text_.size());
    const std::string_view inside = text_.substr(begin, at_ - begin);
    take('"');
    return inside;
  }
  void object(const std::string& path) {
    if (take('}')) return leaf(path, "{}");
    do {
      if (!take('"')) return;
      const std::string name(string());
      if (!take(':')) return;
      value(path.empty() ? name : path + "." + name);
    } while (take(','));
    take('}');
  }
  void array(const std::string& path) {
    if (take(']')) return leaf(path, "[]");
    std::size_t index = 0;
    do value(fmt::format("{}[{}]", path, index++));
    while (take(','));
    take(']');
  }
  void value(const std::string& path) {
    if (++depth_ > 100) return;
    blanks();
    if (take('{')) {
      object(path);
    } else if (take('[')) {
      array(path);
    } else if (take('"')) {
      leaf(path, unescaped(string()));
    } else {
      const std::size_t begin = at_;
      at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
      leaf(path, std::string(text_.substr(begin, at_ - begin)));
    }
    --depth_;
  }
  void leaf(const std::string& path, std::string text) {
    leaves_.push_back({path, std::move(text)});
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Leaves leaves_;
};

}  // namespace

Result<Leaves> leaves_of_run(RunState& run) {
  auto jobs = std::exchange(run.jobs, {});
  auto gates = std::exchange(run.gates, {});
  auto attempts = std::exchange(run.attempts, {});
  Result<Leaves> leaves = below(run, "");
  run.jobs = std::move(jobs);
  run.gates = std::move(gates);
  run.attempts = std::move(attempts);
  return leaves;
}

Result<Leaves> leaves_of_job(RunState& run, std::uint32_t job) {
  if (job == 0 || job > run.jobs.size()) return Leaves();
  RunState part;
  part.jobs.push_back(std::move(run.jobs[job - 1]));
  Result<Leaves> leaves = below(part, "jobs[0].");
  run.jobs[job - 1] = std::move(part.jobs.front());
  return leaves;
}

Result<Leaves> leaves_of_gate(RunState& run, std::uint32_t gate) {
  if (gate == 0 || gate > run.gates.size()) return Leaves();
  RunState part;
  part.gates.push_back(std::move(run.gates[gate - 1]));
  Result<Leaves> leaves = below(part, "gates[0].");
  run.gates[gate - 1] = std::move(part.gates.front());
  return leaves;
}

Leaves leaves_of_json(std::string_view json) {
  return JsonLeaves(json).run();
}

std::vector<FieldChange> changes_between(const Leaves& before, const Leaves& after) {
  std::unordered_map<std::string_view, std::string_view> then;
  for (const reflect::Leaf& leaf : after) then.emplace(leaf.path, leaf.text);
  std::vector<FieldChange> changes;
  std::unordered_map<std::string_view, bool> known;
  for (const reflect::Leaf& leaf : before) {
    known.emplace(leaf.path, true);
    const auto found = then.find(leaf.path);
    if (found == then.end()) {
      changes.push_back({leaf.path, leaf.text, ""});
    } else if (found->second != leaf.text) {
      changes.push_back({leaf.path, leaf.text, std::string(found->second)});
    }
  }
  for (const reflect::Leaf& leaf : after)
    if (!known.contains(leaf.path)) changes.push_back({leaf.path, "", leaf.text});
  return changes;
}

bool is_volatile(std::string_view path) {
  // By the last name, or by a name anywhere above it.
  constexpr std::array last = {
      "revision",     "run_id",       "number",      "marker",        "directory",
      "session_id",   "duration_ms",  "worktree",    "stdout_chunks", "stderr_chunks",
      "stdout_bytes", "stderr_bytes", "plan_path",   "parent_run",    "rerun_of",
      "last_error",   "progress",     "reserved",    "key",           "kind",
      "size",         "hooks",        "base_commit", "excerpt",       "usage"};
  constexpr std::array above = {"process", "supervisor", "resources", "usage", "plan"};
  std::string_view name = path.substr(path.rfind('.') == path.npos ? 0 : path.rfind('.') + 1);
  if (name.ends_with("_ns") || name.ends_with("_revision")) return true;
  if (name == "kind" && path.find("failure") != path.npos) return false;
  if (std::ranges::find(last, name) != last.end()) return true;
  return std::ranges::any_of(above, [&](const char* word) {
    const std::string part = std::string(word) + ".";
    const std::size_t at = path.find(part);
    return at != path.npos && (at == 0 || path[at - 1] == '.');
  });
}

std::vector<FieldChange> lasting(std::vector<FieldChange> changes) {
  std::erase_if(changes, [](const FieldChange& change) { return is_volatile(change.path); });
  return changes;
}

}  // namespace pievt::tools
