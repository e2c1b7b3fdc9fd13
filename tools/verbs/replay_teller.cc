#include "tools/verbs/replay_teller.h"

#include <fmt/format.h>

#include "tools/render/sanitise.h"
#include "tools/render/text.h"

namespace pievt::tools {
namespace {

std::string text(const flatbuffers::String* content) {
  return content == nullptr ? "" : render::one_line(content->str());
}

// The sentence of one event; empty where it is detail.
// Nothing stands behind a colon or a comma where nothing was said.
std::string with(std::string said, std::string_view between, const std::string& more) {
  return more.empty() ? said : said + std::string(between) + more;
}

std::string sentence(const EventView& event) {
  std::string said;
  visit(event,
        overloaded{
            [&](const schema::RunPlanned& e) {
              said = fmt::format("planned with {}", render::plural(e.job_count(), "job"));
            },
            [&](const schema::RunStarted& e) {
              said = with("started", " on pi ", text(e.pi_version()));
            },
            [&](const schema::RunRecovered& e) {
              said = fmt::format("taken over by a new supervisor: {} adopted, {} lost", e.adopted(),
                                 e.lost());
            },
            [&](const schema::RunStopRequested& e) {
              said = with("stop requested", ": ", text(e.reason()));
            },
            [&](const schema::RunPaused& e) { said = with("paused", ": ", text(e.reason())); },
            [&](const schema::RunResumed&) { said = "goes on"; },
            [&](const schema::ThrottleChanged& e) {
              said =
                  with(fmt::format("at once {} -> {}", e.from(), e.to()), ": ", text(e.detail()));
            },
            [&](const schema::LimitReached& e) {
              said = fmt::format("limit reached: {}", schema::EnumNameLimitKind(e.limit()));
            },
            [&](const schema::AttemptLaunched&) { said = "runs"; },
            [&](const schema::AttemptLaunchFailed& e) {
              said = with("could not be started", ": ", text(e.error()));
            },
            [&](const schema::AttemptAdopted&) { said = "is watched again"; },
            [&](const schema::AttemptLost&) { said = "ended while nobody watched"; },
            [&](const schema::AttemptStopRequested& e) {
              said = fmt::format("signal {} because of {}", e.signal(),
                                 schema::EnumNameStopReason(e.reason()));
            },
            [&](const schema::AttemptClassified& e) {
              said = with(fmt::format("ended: {}", schema::EnumNameEnding(e.ending())), ", ",
                          text(e.reason()));
            },
            [&](const schema::GateDecided& e) {
              said = fmt::format("gate: {}", schema::EnumNameGateDecision(e.decision()));
            },
            [&](const schema::JobRetryScheduled& e) {
              said = fmt::format("again in {} ms, as attempt {}", e.delay_ms(), e.attempt());
            },
            [&](const schema::JobFinished& e) {
              said = with(fmt::format("job {}", schema::EnumNameJobStatus(e.status())), ": ",
                          text(e.reason()));
            },
            [&](const schema::RunFinished& e) {
              said = with(fmt::format("finished: {}", schema::EnumNameRunEnding(e.ending())), ", ",
                          text(e.reason()));
            },
        });
  return said;
}

}  // namespace

bool Teller::tell(const EventView& event) {
  names_.see(event);
  if (start_ns_ == 0) start_ns_ = event.time_ns();
  const std::string said = sentence(event);
  if (said.empty()) return false;
  line(event, said);
  return true;
}

void Teller::line(const EventView& event, const std::string& what) {
  std::string who = names_.subject(event);
  if (who.empty()) who = "run";
  const std::uint64_t now = event.time_ns();
  const double seconds = now > start_ns_ ? static_cast<double>(now - start_ns_) / 1e9 : 0;
  context_.out.line(fmt::format("{:>9.3f} s  #{:<6} {:<20} {}", seconds, event.revision().value,
                                render::one_line(who), what));
}

}  // namespace pievt::tools
