#include "tools/verbs/lineage.h"

#include <map>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "pievt/query.h"
#include "tools/render/text.h"
#include "tools/verbs/run_status.h"

namespace pievt::tools {
namespace {

/// A run and the ones that repeat jobs of it, as indexes into the list; in the order they were
/// planned.
struct Node {
  const RunSummary* run = nullptr;
  std::string parent;
  std::vector<std::string> children;
};

using Forest = std::map<std::string, Node>;

// A run's parent is in its first event; a state of one event is cheap.
Result<Forest> forest_of(const Log& log, const RunList& list) {
  Forest forest;
  for (const auto& run : list.runs) {
    const RunState planned = PIEVT_TRY(load_run(log, run->run_id, Revision{1}));
    forest[run->run_id] = {run.get(), planned.parent_run, {}};
  }
  for (const auto& run : list.runs) {
    const auto parent = forest.find(forest.at(run->run_id).parent);
    if (parent != forest.end()) parent->second.children.push_back(run->run_id);
  }
  return forest;
}

// The first run of the line. A record that names itself as its ancestor is no reason to hang.
std::string root_of(const Forest& forest, std::string run) {
  std::set<std::string> seen;
  while (seen.insert(run).second) {
    const std::string& parent = forest.at(run).parent;
    if (!forest.contains(parent)) break;
    run = parent;
  }
  return run;
}

struct Line {
  std::string run;
  std::size_t depth = 0;
};

std::vector<Line> lines_from(const Forest& forest, const std::string& root) {
  std::vector<Line> lines;
  std::vector<Line> open{{root, 0}};
  std::set<std::string> seen;
  while (!open.empty()) {
    Line line = std::move(open.back());
    open.pop_back();
    if (!seen.insert(line.run).second) continue;
    const auto& children = forest.at(line.run).children;
    for (auto child = children.rbegin(); child != children.rend(); ++child)
      open.push_back({*child, line.depth + 1});
    lines.push_back(std::move(line));
  }
  return lines;
}

Status write_node(render::JsonWriter& json, const Log& log, const Node& node,
                  std::string_view status) {
  json.begin_object().member("run", node.run->run_id).member("parent_run", node.parent);
  json.member("name", node.run->name).member("status", status);
  json.key("jobs").begin_array();
  const RunState run = PIEVT_TRY(load_run(log, node.run->run_id));
  for (const auto& job : run.jobs) {
    const bool ended = job->phase == state::JobPhase::finished;
    json.begin_object()
        .member("id", job->id)
        .member("rerun_of", job->declared == nullptr ? "" : job->declared->rerun_of)
        .member("status", ended ? schema::EnumNameJobStatus(job->status)
                                : state::EnumNameJobPhase(job->phase));
    json.end_object();
  }
  json.end_array().end_object();
  return {};
}

}  // namespace

Status write_lineage(const Context& context, const Log& log, const std::string& run) {
  const LogInfo info = log.info();
  const RunList list = PIEVT_TRY(load_runs(log));
  const Forest forest = PIEVT_TRY(forest_of(log, list));
  const std::vector<Line> lines = lines_from(forest, root_of(forest, run));
  const auto status = [&](const Node& node) {
    return run_status(node.run->phase, node.run->ending, node.run->supervisor.get(), info);
  };
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.lineage", 1).member("run", run).key("runs").begin_array();
    for (const Line& line : lines) {
      const Node& node = forest.at(line.run);
      PIEVT_TRY(write_node(json, log, node, status(node).word));
    }
    json.end_array().end_object().end_document();
    return {};
  }
  for (const Line& line : lines) {
    const Node& node = forest.at(line.run);
    context.out.line(fmt::format("{}{}{}  {}  {}  {} of {} jobs ok{}",
                                 std::string(line.depth == 0 ? 0 : (line.depth - 1) * 3, ' '),
                                 line.depth == 0 ? "" : "`- ", node.run->run_id, node.run->name,
                                 status(node).word, node.run->succeeded, node.run->jobs,
                                 line.run == run ? "  <" : ""));
  }
  return {};
}

}  // namespace pievt::tools
