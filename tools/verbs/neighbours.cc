#include "tools/verbs/neighbours.h"

#include <algorithm>

namespace pievt::tools {
namespace {

constexpr std::size_t runs_max = 60;
/// A run with a saved state costs less, but nobody promises that there is one.
constexpr std::uint64_t events_max = 200'000;

// How much a run has to say about the other; 0: nothing.
int relevance(const RunSummary& other, const RunState& run) {
  if (other.run_id == run.run_id) return 0;
  if (other.run_id == run.parent_run) return 4;
  if (!run.name.empty() && other.name == run.name) return 3;
  if (other.failed > 0 || other.planned_ns > run.planned_ns) return 2;
  return 0;
}

}  // namespace

Result<std::vector<audit::Neighbour>> neighbours(const Log& log, const RunList& runs,
                                                 const RunState& run) {
  std::vector<const RunSummary*> order;
  for (const auto& other : runs.runs) {
    if (relevance(*other, run) > 0) order.push_back(other.get());
  }
  // Nearest in time first among equals.
  const auto distance = [&](const RunSummary* other) {
    return other->planned_ns > run.planned_ns ? other->planned_ns - run.planned_ns
                                              : run.planned_ns - other->planned_ns;
  };
  std::ranges::stable_sort(order, [&](const RunSummary* a, const RunSummary* b) {
    const int left = relevance(*a, run), right = relevance(*b, run);
    return left != right ? left > right : distance(a) < distance(b);
  });
  std::vector<audit::Neighbour> found;
  std::uint64_t events = 0;
  for (const RunSummary* other : order) {
    if (found.size() >= runs_max || events + other->revision > events_max) continue;
    events += other->revision;
    found.push_back(audit::neighbour_of(PIEVT_TRY(load_run(log, other->run_id))));
  }
  std::ranges::stable_sort(found, {}, &audit::Neighbour::planned_ns);
  return found;
}

}  // namespace pievt::tools
