// The names of a plan's values, as a plan spells them.
#include "supervisor/plan/plan.h"

#include <array>

namespace pievt::plan {
namespace {

template <class Enum, std::size_t count>
std::string_view pick(const std::array<std::string_view, count>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < count ? names[index] : "?";
}

}  // namespace

std::string_view name_of(PlanKind kind) {
  return pick(std::array<std::string_view, 1>{"batch"}, kind);
}

std::string_view name_of(Thinking level) {
  return pick(std::array<std::string_view, 6>{"off", "minimal", "low", "medium", "high", "xhigh"},
              level);
}

std::string_view name_of(RetrySession session) {
  return session == RetrySession::fresh ? "fresh" : "resume";
}

std::string_view name_of(RetryTree tree) {
  return tree == RetryTree::clean ? "clean" : "previous";
}

std::string_view name_of(When when) {
  return pick(std::array<std::string_view, 2>{"success", "finished"}, when);
}

std::string_view name_of(PathType type) {
  return pick(std::array<std::string_view, 3>{"file", "dir", "glob"}, type);
}

std::string_view name_of(SynthesisMode mode) {
  return pick(std::array<std::string_view, 2>{"parent", "report-only"}, mode);
}

std::string_view name_of(Isolation isolation) {
  return isolation == Isolation::shared ? "shared" : "worktree";
}

std::string_view name_of(RetryOn kind) {
  return pick(std::array<std::string_view, 8>{"launch", "provider_transient", "context_overflow",
                                              "worker_incomplete", "timeout", "killed",
                                              "acceptance", "lost"},
              kind);
}

}  // namespace pievt::plan
