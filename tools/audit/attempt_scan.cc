#include "tools/audit/attempt_scan.h"

#include <algorithm>

#include "pievt/bytes.h"
#include "pievt/query.h"
#include "supervisor/pi/worker_report.h"

namespace pievt::audit {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

void AttemptScan::take(const EventView& event) {
  const std::uint64_t revision = event.revision().value;
  const auto failure = [&] {
    first_failure = first_failure == 0 ? revision : std::min(first_failure, revision);
    last_failure = std::max(last_failure, revision);
  };
  visit(event, overloaded{
                   [&](const UsageRecorded& e) {
                     if (!text_of(e.error()).empty()) failure();
                   },
                   [&](const ProviderRetryStarted&) { failure(); },
                   [&](const AttemptClassified&) { classified = revision; },
                   [&](const AttemptExited&) { exited = revision; },
                   [&](const ToolCallStarted& e) {
                     if (pi::effect_of(text_of(e.tool())) == pi::ToolEffect::write)
                       calls_[e.call()] = {std::string(text_of(e.subject())), revision};
                   },
                   [&](const ToolCallFinished& e) {
                     if (e.is_error()) failed_calls_.insert(e.call());
                   },
               });
}

std::vector<AttemptScan::Call> AttemptScan::written() const {
  std::vector<Call> list;
  for (const auto& [number, call] : calls_) {
    if (failed_calls_.contains(number) || call.path.empty()) continue;
    if (std::ranges::find(list, call.path, &Call::path) == list.end()) list.push_back(call);
  }
  return list;
}

Result<AttemptScan> scan_attempt(const Log& log, const RunState& run, std::uint32_t job,
                                 const AttemptState& attempt) {
  AttemptScan scan;
  const std::uint64_t from = attempt.last_revision;
  const std::uint64_t stop =
      std::max<std::uint64_t>(attempt.first_revision, from > stretch_max ? from - stretch_max : 1);
  scan.whole = stop == attempt.first_revision;
  auto reader = log.read_stream(run_stream(run.run_id), {from}, {stop}, Direction::backward);
  while (reader.next()) {
    const Head& head = reader.event().head();
    if (head.job() == job && head.attempt() == attempt.number) scan.take(reader.event());
  }
  PIEVT_TRY(reader.status());
  return scan;
}

}  // namespace pievt::audit
