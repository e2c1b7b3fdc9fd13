// `pievt replay [run]`: rebuilds the state from the events alone, and shows the way there.
#include <chrono>

#include <fmt/format.h>

#include "store/views/run_view.h"
#include "supervisor/record/clock.h"
#include "tools/render/sanitise.h"
#include "tools/verbs/access.h"
#include "tools/verbs/run_report.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options = {
    argument("run", "which run; the last one when left out").completing(Complete::runs),
    flag("--state", "only the state, without the way there"),
};

constexpr Manual manual = {
    .details =
        "Reconstructs a run from its events, from the first one on, without any saved state. "
        "Nothing is executed, "
        "nobody is asked, nothing is written. With --at, up to that moment.",
    .options = options,
    .examples = {{{"pievt replay last", "how the last run went, and its state at the end"},
                  {"pievt replay last --at 812", "the state after its event #812"}}},
};

// The events by which a story is told; the others are its detail.
class Story {
 public:
  Story(Context& context, const RunState& names) : context_(context), names_(names) {}

  void tell(const EventView& event) {
    if (start_ns_ == 0) start_ns_ = event.time_ns();
    visit(event,
          overloaded{
              [&](const schema::RunPlanned& e) {
                line(event, fmt::format("planned with {} jobs", e.job_count()));
              },
              [&](const schema::RunStarted& e) {
                line(event, fmt::format("started on pi {}",
                                        e.pi_version() == nullptr ? "?" : e.pi_version()->str()));
              },
              [&](const schema::RunRecovered& e) {
                line(event, fmt::format("taken over by a new supervisor: {} adopted, {} lost",
                                        e.adopted(), e.lost()));
              },
              [&](const schema::RunStopRequested& e) {
                line(event, "stop requested: " + text(e.reason()));
              },
              [&](const schema::AttemptLaunched&) { line(event, "runs"); },
              [&](const schema::AttemptLaunchFailed& e) {
                line(event, "could not be started: " + text(e.error()));
              },
              [&](const schema::AttemptAdopted&) { line(event, "is watched again"); },
              [&](const schema::AttemptLost&) { line(event, "ended while nobody watched"); },
              [&](const schema::AttemptStopRequested& e) {
                line(event, fmt::format("signal {} because of {}", e.signal(),
                                        schema::EnumNameStopReason(e.reason())));
              },
              [&](const schema::AttemptClassified& e) {
                line(event, fmt::format("ended: {}, {}", schema::EnumNameEnding(e.ending()),
                                        text(e.reason())));
              },
              [&](const schema::GateDecided& e) {
                line(event, fmt::format("gate: {}", schema::EnumNameGateDecision(e.decision())));
              },
              [&](const schema::JobRetryScheduled& e) {
                line(event,
                     fmt::format("again in {} ms, as attempt {}", e.delay_ms(), e.attempt()));
              },
              [&](const schema::JobFinished& e) {
                line(event, fmt::format("job {}: {}", schema::EnumNameJobStatus(e.status()),
                                        text(e.reason())));
              },
              [&](const schema::RunFinished& e) {
                line(event, fmt::format("finished: {}, {}", schema::EnumNameRunEnding(e.ending()),
                                        text(e.reason())));
              },
          });
  }

 private:
  static std::string text(const flatbuffers::String* content) {
    return content == nullptr ? "" : render::sanitise(content->str(), render::Lines::one);
  }

  void line(const EventView& event, const std::string& what) {
    const schema::Head& head = event.head();
    std::string who = names_.name;
    if (const JobState* job = find_job(names_, head.job())) {
      who = head.attempt() == 0 ? job->id : fmt::format("{}/{}", job->id, head.attempt());
    } else if (head.attempt() != 0) {
      who = fmt::format("_probe/{}", head.attempt());
    }
    const double seconds = static_cast<double>(event.time_ns() - start_ns_) / 1e9;
    context_.out.line(fmt::format("{:>9.3f} s  #{:<6} {:<20} {}", seconds, event.revision().value,
                                  render::sanitise(who, render::Lines::one), what));
  }

  Context& context_;
  const RunState& names_;
  std::uint64_t start_ns_ = 0;
};

}  // namespace

const Manual& replay_manual() {
  return manual;
}

Result<Exit> replay(Context& context) {
  const Log log = PIEVT_TRY(open_to_read(context));
  const Reference reference =
      PIEVT_TRY(resolve(context, log, context.arguments.text_or("run", "last")));
  const Revision at = PIEVT_TRY(moment(context, log, reference.run));
  say_scope(context, log, reference.run, at);
  const auto begin = std::chrono::steady_clock::now();
  const RunState run = PIEVT_TRY(fold_run(log, reference.run, at));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  context.talk.say(fmt::format("reconstructed from {} in {:.1f} ms; nothing was executed",
                               render::plural(run.revision, "event"), took.count()));
  if (context.wants_json()) {
    PIEVT_TRY(write_run_document(context, run));
    return Exit::ok;
  }
  context.pager.begin();
  if (!context.arguments.has("--state")) {
    Story story(context, run);
    auto reader = log.read_stream(run_stream(reference.run), {1}, at);
    while (!context.out.done() && reader.next()) story.tell(reader.event());
    PIEVT_TRY(reader.status());
    context.out.line("");
  }
  const ReportStyle style{context.terminal, context.globals.zone, run.updated_ns};
  context.out.write(job_table(run, style));
  context.out.line(run_headline(run, style));
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
