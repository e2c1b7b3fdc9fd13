// The story of one run: what happened in it, when, and for how long. Where the state of a run
// (run_state.h) says what is true at one moment, its story keeps everything on the way there:
// timeline, diff, audit and the exporters that draw are made from it.
//
//   RunStory story = PIEVT_TRY(fold_story(log, run_id));
//   for (const story::Attempt& attempt : story.attempts)
//     for (const story::ToolCall& call : attempt.tools) ...
//
// A story is a pure fold of the run's events: the same events give an equal story, and the story of
// the first n events is a beginning of the story of all. It does not guess. What has not ended has
// no end (`Span::end` is not known), what pi never said is absent, and where only a bound is known
// the name says so (`Request::after`). Times are wall-clock nanoseconds since 1970 as told by the
// event's author, so an imported run has its own times and not those of its import. Wall clocks can
// be set back, so a span may end before it began; `Span::duration_ns` is 0 then.
//
// Memory: about 200 bytes and its texts for a tool call, less for everything else; bodies are
// references. Texts live in the story: they are valid as long as it (or what it was moved to)
// lives. Threads: values; no thread of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "pievt/attempt_story.h"
#include "pievt/event.h"
#include "pievt/result.h"

namespace pievt {

class Log;

namespace story {

/// Why a job does not run although its run does.
enum class WaitKind : std::uint8_t {
  dependencies,  ///< for other jobs or an earlier wave
  slot,          ///< it could run: as many as may are running, or something holds the run back
  backoff,       ///< until a moment, before another attempt
};

struct Wait {
  WaitKind kind{};
  Span span;
  std::uint64_t not_before_ns = 0;  ///< of a backoff
  Text reason;                      ///< of a backoff
  friend bool operator==(const Wait&, const Wait&) = default;
};

/// A ruleset judged the job after an attempt.
struct Verdict {
  Mark at;
  std::uint32_t attempt = 0;
  schema::JobStatus status{};
  schema::FailureKind failure{};
  schema::RetryDecision retry{};
  schema::BlockingGate blocking{};
  schema::WorkEnding ending{};
  Text ruleset;
  Text reason;
  std::vector<std::uint64_t> evidence;  ///< revisions
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// A job ended; it may have been opened again.
struct JobEnd {
  Mark at;
  schema::JobStatus status{};
  schema::FailureKind failure{};
  Text reason;
  Mark reopened;
  friend bool operator==(const JobEnd&, const JobEnd&) = default;
};

struct Job {
  std::uint32_t number = 0;
  Text id;
  Text name;
  Text model;
  std::uint32_t wave = 0;
  std::vector<std::uint32_t> depends_on;
  std::optional<schema::BlobRef> prompt;
  Mark declared;
  Mark cancel_requested;
  std::vector<std::uint32_t> attempts;  ///< places in Run::attempts
  std::vector<Wait> waits;
  std::vector<Verdict> verdicts;
  std::vector<JobEnd> ends;

  /// Its end as it stands; null while it is open.
  const JobEnd* end() const {
    return ends.empty() || ends.back().reopened.known() ? nullptr : &ends.back();
  }
  friend bool operator==(const Job&, const Job&) = default;
};

struct GateCommand {
  std::uint32_t number = 0;
  Span span;  ///< from its request to its end
  Mark started;
  std::uint32_t exit_code = 0;
  std::uint32_t signal = 0;
  Text error;
  friend bool operator==(const GateCommand&, const GateCommand&) = default;
};

struct Gate {
  std::uint32_t number = 0;
  schema::GateKind kind{};
  Text name;
  std::uint32_t job = 0;
  std::uint32_t attempt = 0;
  Span span;
  schema::GateDecision decision{};
  std::uint32_t checks = 0;
  std::uint32_t checks_failed = 0;
  Text reason;
  Text ruleset;
  std::vector<GateCommand> commands;
  friend bool operator==(const Gate&, const Gate&) = default;
};

struct Throttle {
  Mark at;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  schema::ThrottleReason reason{};
  std::uint32_t failures = 0;
  std::uint32_t window = 0;
  Text detail;
  friend bool operator==(const Throttle&, const Throttle&) = default;
};

/// The run had to wait for more than its own limit.
struct Admission {
  Span span;
  schema::WaitReason reason{};
  Text detail;
  friend bool operator==(const Admission&, const Admission&) = default;
};

/// One supervisor's time with the run. Where the next one had to take over, this one died after
/// `last_seen`, and when exactly is not known.
struct Supervision {
  Mark began;
  Mark last_seen;   ///< the last event before the next one took over; known only then
  Mark taken_over;  ///< the event by which the next one did
  std::uint32_t pid = 0;
  Text pi_version;
  std::uint32_t adopted = 0;  ///< attempts it found running
  std::uint32_t lost = 0;     ///< and those that had ended unwatched
  bool died() const { return taken_over.known(); }
  friend bool operator==(const Supervision&, const Supervision&) = default;
};

struct StopRequest {
  Mark at;
  schema::StopMode mode{};
  Text reason;
  friend bool operator==(const StopRequest&, const StopRequest&) = default;
};

struct Pause {
  Span span;
  Text reason;
  friend bool operator==(const Pause&, const Pause&) = default;
};

struct RunEnd {
  Mark at;
  schema::RunEnding ending{};
  Text reason;
  Mark resumed;
  friend bool operator==(const RunEnd&, const RunEnd&) = default;
};

/// The memory of a story's texts. Stories are compared by what they say, so two are always equal.
class Texts {
 public:
  /// A copy that lives as long as this.
  Text keep(std::string_view text);
  /// The same for texts that come again and again: each is kept once.
  Text keep_once(std::string_view text);
  friend bool operator==(const Texts&, const Texts&) { return true; }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t free_ = 0;
  char* next_ = nullptr;
  std::unordered_set<std::string_view> known_;
};

struct Run {
  Text run_id;
  Text name;
  bool imported = false;  ///< its times were told by another system's record
  std::uint32_t concurrency = 0;
  Mark planned;
  Mark started;
  Mark last;  ///< the last event that is part of this story
  std::uint64_t events = 0;
  std::uint64_t unknown_events = 0;    ///< of types this program does not know
  std::vector<Job> jobs;               ///< by number, from 1: jobs[number - 1]
  std::vector<Attempt> attempts;       ///< in the order they were asked for
  std::vector<std::uint32_t> serving;  ///< places of the attempts of job 0
  std::vector<Gate> gates;             ///< in the order they were opened
  std::vector<Throttle> throttles;
  std::vector<Admission> admissions;
  std::vector<Pause> pauses;
  std::vector<StopRequest> stops;
  std::vector<Supervision> supervisions;
  std::vector<RunEnd> ends;
  std::vector<Note> notes;  ///< limits, hooks, anomalies and secrets of the run itself
  Texts texts;

  const RunEnd* end() const {
    return ends.empty() || ends.back().resumed.known() ? nullptr : &ends.back();
  }
  friend bool operator==(const Run&, const Run&) = default;
};

}  // namespace story

using RunStory = story::Run;

/// Folds events of one run, in order, into its story. Events that make no sense (an attempt nobody
/// asked for) change nothing, as in the state of a run: they happened.
class StoryFold {
 public:
  StoryFold();
  ~StoryFold();
  StoryFold(StoryFold&&) noexcept;
  StoryFold& operator=(StoryFold&&) noexcept;

  void apply(const EventView& event);

  /// Valid until the next call of apply().
  const RunStory& story() const;
  RunStory take() &&;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

/// The story of a run's events up to `at` (0: all). not_found: no such run.
Result<RunStory> fold_story(const Log& log, std::string_view run_id, Revision at = {});

}  // namespace pievt
