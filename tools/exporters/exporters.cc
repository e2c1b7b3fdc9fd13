// The table of exporters: a new format is one file and one row.
#include <algorithm>
#include <array>

#include "tools/exporters/arrow/arrow.h"
#include "tools/exporters/cloudevents.h"
#include "tools/exporters/exporter.h"
#include "tools/exporters/html/page.h"
#include "tools/exporters/jsonl.h"
#include "tools/exporters/raw.h"
#include "tools/exporters/run_tables.h"
#include "tools/exporters/story_of.h"
#include "tools/exporters/traces.h"

namespace pievt::tools {
namespace {

using Redacted = ExporterRow::Redacted;
using Part = ExporterRow::Part;

constexpr std::array exporter_rows = {
    ExporterRow{"arrow", "an Arrow IPC stream: a row for each event, for data frames", "rows",
                "texts that events refer to, captured output", carries_all, Redacted::possible,
                Part::run, make_arrow},
    ExporterRow{"cloudevents", "CloudEvents 1.0, one JSON object a line", "events and a manifest",
                "bodies and captured output", carries_all, Redacted::possible, Part::run,
                make_cloudevents},
    ExporterRow{"csv", "a row for each attempt: how it ended, times, tokens, cost", "rows",
                "the way there: single turns, tool calls, gates, bodies", carried_by_csv,
                Redacted::possible, Part::run, make_csv},
    ExporterRow{"html", "one page to look at and send on, without a network", "jobs and attempts",
                "Captured output, arguments and results of tools, single events", carried_by_html,
                Redacted::possible, Part::run, make_html},
    ExporterRow{"jsonl", "everything, one JSON object a line; `pievt import` reads it back",
                "lines", "the order of events among other runs of the store", carries_all,
                Redacted::possible, Part::run, make_jsonl},
    ExporterRow{"junit", "JUnit XML: each job a test case, for continuous integration",
                "test cases",
                "attempts that were tried again with success, times of events, bodies",
                carried_by_state, Redacted::possible, Part::run, make_junit},
    ExporterRow{"markdown", "a report for a ticket", "sections and jobs",
                "single turns and tool calls, throttles, bodies", carried_by_markdown,
                Redacted::possible, Part::run, make_markdown},
    ExporterRow{"otlp", "OTLP/JSON: a trace with the conventions for generative AI", "spans",
                "bodies, captured output, writes", carried_by_story, Redacted::possible, Part::run,
                make_otlp},
    ExporterRow{"perfetto", "a trace for Perfetto: slices, flows from cause to effect, counters",
                "trace events", "bodies and captured output", carries_all, Redacted::possible,
                Part::run, make_perfetto},
    ExporterRow{"pi-session", "pi's own session files as they were; a tar, or those of an attempt",
                "files", "everything but the session files", carried_by_pi_session,
                Redacted::pointless, Part::job, make_pi_session},
    ExporterRow{"raw", "what attempts wrote, byte for byte; a tar, or the output of an attempt",
                "files", "everything but captured output", carried_by_raw, Redacted::pointless,
                Part::job, make_raw},
};
static_assert(std::ranges::adjacent_find(exporter_rows, std::ranges::greater_equal{},
                                         &ExporterRow::name) == exporter_rows.end(),
              "exporters must be sorted by name, each once");

}  // namespace

std::span<const ExporterRow> exporters() {
  return exporter_rows;
}

}  // namespace pievt::tools
