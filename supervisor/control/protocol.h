// What is said over the control socket of a supervised run, and over the pipe through which a
// detached one is started. docs/control.md tells it to other programs.
//
//   client                                   supervisor
//   Hello    which run, who I claim to be ->
//                                         <-  Welcome   who supervises it
//   Request  a number, and what is asked  ->
//                                         <-  Answer    that number; what came of it, or why not
//                                         <-  Progress  to subscribers, as things change
//
//   starter                                  pievtd
//   Start    a plan, or a run to go on    ->
//                                         <-  Started   once that is durable, or Refused
//
// Every message is a frame of store/format/frame.h. Requests carry a number of the client's choice
// and answers repeat it, so any number can be on their way. An answer to something that changes the
// run comes when its event is durable, and names it. Both ends are of one user on one machine, and
// nothing here trusts the bytes. Pure: bytes in, values out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "pievt/result.h"
#include "pievt/run_state.h"
#include "store/format/frame.h"
#include "store/format/wire.h"

namespace pievt::control {

inline constexpr std::uint32_t protocol = 1;

/// A plan goes to a new pievtd as a whole, over the control socket there is only ever one job.
inline constexpr std::size_t request_bytes_max = 1u << 20;
inline constexpr std::size_t start_bytes_max = wire::frame_bytes_max;

struct Hello {
  std::uint32_t protocol = control::protocol;
  std::string run;      ///< a socket may be of another run by now
  std::string program;  ///< what the client calls itself, e.g. `pievt stop`; recorded as a claim
};

struct Welcome {
  std::uint32_t pid = 0;  ///< of the supervisor
  std::string run;
  std::string program;  ///< `pievt run`, `pievtd`
};

/// How the run is. Answered at once, changes nothing.
struct AskStatus {};

/// End the run early. Drain: what runs may end, nothing is started. Now: stop what runs.
struct Stop {
  schema::StopMode mode = schema::StopMode::drain;
  std::string reason;
};

struct Pause {
  std::string reason;
};

/// Go on after a pause.
struct Resume {
  std::string reason;
};

struct CancelJob {
  std::string job;  ///< its id
  std::string reason;
};

/// One more job, as an object of a plan's "jobs". It may depend on jobs of the run.
struct AddJob {
  std::string text;       ///< JSON
  std::string directory;  ///< where the files it names are looked for; absolute
};

struct SetConcurrency {
  std::uint32_t attempts = 0;  ///< that may run at once
};

struct SetPriority {
  std::string job;
  std::int32_t priority = 0;
};

/// Progress from now on: at once, and whenever something has changed. A subscriber that does not
/// read is told less often, never a wrong thing, and the end always.
struct Subscribe {};

/// This connection is the life of whoever called for the run. When the last such connection ends
/// before the run does, the run is stopped or goes on, as this says; unknown: as the run was
/// planned with. A second Hold on a connection replaces the first.
struct Hold {
  schema::CallerGone when_gone = schema::CallerGone::unknown;
};

using Action = std::variant<AskStatus, Stop, Pause, Resume, CancelJob, AddJob, SetConcurrency,
                            SetPriority, Subscribe, Hold>;

/// The word a request is known by in messages and documents: `stop`, `add`.
std::string_view name_of(const Action& action);

struct Request {
  std::uint64_t number = 0;
  Action action;
};

/// A job that runs or waits for another attempt, in one line.
struct ActiveJob {
  std::string id;
  std::uint32_t attempt = 0;
  std::string line;  ///< what it is doing, as far as it is known; may be empty
};

/// How a run is, for people and programs that only want to show it. Everything else is in the log,
/// up to `revision`.
struct Progress {
  std::uint64_t revision = 0;
  state::RunPhase phase = state::RunPhase::unknown;
  schema::RunEnding ending = schema::RunEnding::unknown;
  schema::StopMode stop_mode = schema::StopMode::unknown;
  std::uint32_t concurrency = 0;
  std::uint32_t jobs = 0, waiting = 0, running = 0, backoff = 0;
  /// Of those that have ended. `failed` counts whatever is none of the others.
  std::uint32_t succeeded = 0, failed = 0, cancelled = 0, skipped = 0;
  std::uint64_t tokens = 0;
  std::int64_t cost_nanodollars = 0;
  std::uint32_t unreported_requests = 0;  ///< their cost is not in it
  std::string reason;                     ///< why it ended, or is ending
  std::vector<ActiveJob> active;          ///< the first few
};

struct Answer {
  std::uint64_t number = 0;  ///< 0: what came was no request
  struct Done {
    std::uint64_t revision = 0;  ///< of the event that came of it; 0: there was none to write
    std::string what;            ///< one sentence for people
    /// To AskStatus and Subscribe.
    std::vector<Progress> progress;
  };
  Result<Done> outcome = Done{};
};

/// To a new pievtd, by whoever starts it. It works in a directory and under an environment of its
/// own, so everything that those would say is in here.
struct Start {
  enum class What : std::uint8_t { plan = 1, resume = 2 } what = What::plan;
  std::string store;              ///< absolute
  std::string run;                ///< the new run's id, or the run to go on with
  std::string plan_text;          ///< as written
  std::string plan_path;          ///< what messages and the record call it
  std::string plan_directory;     ///< where the files it names are looked for
  std::string cwd;                ///< what the run's relative paths begin at
  std::uint32_t concurrency = 0;  ///< 0: the plan's own, or the default
  std::string pi = "pi";
  bool probe = true;
  std::string tool;  ///< the agent tool that called for it; empty: a person's command
  schema::CallerGone when_gone = schema::CallerGone::unknown;
  std::string program;  ///< what the starter calls itself
};

struct Started {
  std::string run;
  std::uint32_t pid = 0;
};

struct Refused {
  Error error;
};

using Message = std::variant<Hello, Welcome, Request, Answer, Progress, Start, Started, Refused>;

wire::Frame frame_of(const Message& message);

/// invalid: not a message of this protocol, or one that breaks a bound.
Result<Message> parse(std::span<const std::byte> message);

}  // namespace pievt::control
