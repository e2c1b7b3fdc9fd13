#include "tools/verbs/control.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "supervisor/control/detach.h"
#include "supervisor/launch/run_lock.h"

namespace pievt::tools {
namespace {

// Why nobody answers for the run.
Error not_supervised(Log& log, const std::string& run) {
  if (const Status fresh = log.refresh(); !fresh.ok()) return fresh.error();
  const Result<RunState> state = load_run(log, run);
  if (!state.ok()) return state.error();
  if (state->phase == state::RunPhase::finished) {
    return {Errc::invalid_transition,
            fmt::format("run {} has ended ({}): {}", run, schema::EnumNameRunEnding(state->ending),
                        state->reason)};
  }
  return {
      Errc::invalid_transition,
      fmt::format("run {} is interrupted: its supervisor is gone; go on with it: pievt resume {}",
                  run, run)};
}

}  // namespace

std::string program_name(const Context& context) {
  return fmt::format("pievt {}", context.verb.name);
}

Result<Reference> supervised_run(const Context& context, const Log& log,
                                 const std::filesystem::path& store,
                                 const std::optional<std::string>& word) {
  if (word) return resolve(context, log, *word);
  std::vector<std::string> supervised;
  for (const auto& run : PIEVT_TRY(load_runs(log)).runs) {
    if (run->phase != state::RunPhase::finished && launch::supervisor_of(store, run->run_id))
      supervised.push_back(run->run_id);
  }
  if (supervised.size() == 1) return Reference{supervised.front(), {}, {}};
  if (supervised.empty()) return Error{Errc::not_found, "no run of this store is being supervised"};
  return Error{Errc::invalid, fmt::format("several runs are being supervised: say which of {}",
                                          fmt::join(supervised, ", "))};
}

Result<control::Connection> connect(const Context& context, Log& log,
                                    const std::filesystem::path& store, const std::string& run) {
  auto connection = control::Connection::open(store, run, program_name(context), control::soon());
  if (connection.ok() || connection.error().code != Errc::not_found) return connection;
  return not_supervised(log, run);
}

Result<Exit> ask(const Context& context, Log& log, const std::filesystem::path& store,
                 const std::string& run, control::Action action) {
  const std::string name(control::name_of(action));
  control::Connection connection = PIEVT_TRY(connect(context, log, store, run));
  Result<control::Answer::Done> answer = connection.ask(std::move(action), control::soon());
  if (!answer.ok() && answer.error().code == Errc::not_found) {
    // Its supervisor has ended, or there is no such job: only the first leaves the run alone.
    if (!launch::supervisor_of(store, run)) return not_supervised(log, run);
  }
  const control::Answer::Done done = PIEVT_TRY(std::move(answer));
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.control", 1)
        .member("run", run)
        .member("request", name)
        .member("changed", done.revision != 0)
        .member("revision", done.revision)
        .member("what", done.what);
    json.end_object().end_document();
    return Exit::ok;
  }
  context.out.line(done.revision == 0
                       ? fmt::format("run {}: {}", run, done.what)
                       : fmt::format("run {}: {} (#{})", run, done.what, done.revision));
  return Exit::ok;
}

Result<Exit> detach(const Context& context, const control::Start& start) {
  const control::Started started = PIEVT_TRY(control::start_detached(start));
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.started", 1).member("run", started.run).member("pid", started.pid);
    json.end_object().end_document();
    return Exit::ok;
  }
  context.talk.say(
      fmt::format("run {} goes on in the background (pievtd, process {}); pievt wait "
                  "{} waits for it, pievt stop {} ends it",
                  started.run, started.pid, started.run, started.run));
  context.out.line(started.run);
  return Exit::ok;
}

}  // namespace pievt::tools
