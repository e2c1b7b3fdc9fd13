// A run, a job or an attempt as people read it. Used by the verbs that show a state, whatever
// moment it is of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pievt/run_state.h"
#include "tools/frame/context.h"
#include "tools/render/terminal.h"
#include "tools/render/text.h"

namespace pievt::tools {

/// `now_ns`: the moment that running things are measured against, wall clock.
struct ReportStyle {
  render::Terminal terminal;
  render::Zone zone = render::Zone::local;
  std::uint64_t now_ns = 0;
};

/// Name, ending, counts, time, tokens and cost in one or two lines, without a line end behind the
/// last.
std::string run_headline(const RunState& run, const ReportStyle& style);

/// One line a job: id, status, why, attempts, time, tokens, cost; with titles.
std::string job_table(const RunState& run, const ReportStyle& style);

/// Everything that is known of one job: its attempts, their endings, what its gate saw, its last
/// words.
std::string job_report(const RunState& run, const JobState& job, const ReportStyle& style);

/// Everything that is known of one attempt.
std::string attempt_report(const AttemptState& attempt, const ReportStyle& style);

/// The picture `pievt run` paints while it works.
std::vector<std::string> live_lines(const RunState& run, const ReportStyle& style);

/// Writes the state as the JSON document `pievt.run`.
Status write_run_document(const Context& context, const RunState& run);

}  // namespace pievt::tools
