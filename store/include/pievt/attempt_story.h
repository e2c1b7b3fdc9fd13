// The story of one attempt: the part of a run's story (run_story.h) that is about one child
// process, what it was seen to do, and how it ended. What its words mean is said there.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "pievt/event.h"

namespace pievt::story {

/// A text that the story owns. Empty: not said.
using Text = std::string_view;

/// An event of the run and when it happened. Revision 0: there is none (yet).
struct Mark {
  std::uint64_t revision = 0;
  std::uint64_t at_ns = 0;

  bool known() const { return revision != 0; }
  friend bool operator==(const Mark&, const Mark&) = default;
};

struct Span {
  Mark begin;
  Mark end;  ///< not known while it is open

  bool open() const { return begin.known() && !end.known(); }
  /// Up to `now_ns` where it is open.
  std::uint64_t duration_ns(std::uint64_t now_ns) const {
    const std::uint64_t to = end.known() ? end.at_ns : now_ns;
    return to > begin.at_ns ? to - begin.at_ns : 0;
  }
  friend bool operator==(const Span&, const Span&) = default;
};

/// What one model request cost, as the provider reported it. `reported` false: nobody knows, and
/// the numbers mean nothing.
struct Spent {
  bool reported = false;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t cache_read_tokens = 0;
  std::uint64_t cache_write_tokens = 0;
  std::uint64_t reasoning_tokens = 0;
  std::uint64_t total_tokens = 0;
  std::int64_t cost_nanodollars = 0;
  friend bool operator==(const Spent&, const Spent&) = default;
};

struct ToolCall {
  Span span;                    ///< begin is not known where only its end was recorded
  std::uint32_t number = 0;     ///< from 1 within the attempt; 0: not known
  std::uint32_t turn = 0;       ///< place in Attempt::turns
  std::int32_t exit_code = -1;  ///< -1: not known
  bool is_error = false;
  std::uint64_t duration_ms = 0;  ///< as pi measured it; 0: not reported
  Text tool;
  Text subject;  ///< the path or command, one line
  Text call_id;
  std::optional<schema::BlobRef> arguments;
  std::optional<schema::BlobRef> result;
  friend bool operator==(const ToolCall&, const ToolCall&) = default;
};

/// A model request. The record says when it was answered, not when it was sent.
struct Request {
  Mark after;  ///< it was sent after this: the last thing that was seen before its answer
  Mark answered;
  std::uint32_t turn = 0;  ///< place in Attempt::turns
  bool failed = false;     ///< the provider answered with an error, or not at all
  Text provider;
  Text model;
  Text response_model;  ///< the one the server named, where it differs
  Text stop_reason;     ///< pi's word
  Text error;
  Spent spent;
  friend bool operator==(const Request&, const Request&) = default;
};

/// pi waits, then asks the provider again by itself.
struct ProviderRetry {
  Mark began;
  std::uint64_t delay_ms = 0;
  std::uint32_t attempt = 0;
  std::uint32_t max_attempts = 0;
  Text error;  ///< what the request before it ended with
  /// The next thing that was heard of the provider: the wait and one request lie before it.
  Mark heard;
  /// pi said that its retries are over, with this one as the last. Not known for the others.
  Mark over;
  bool succeeded = false;
  friend bool operator==(const ProviderRetry&, const ProviderRetry&) = default;
};

struct Compaction {
  Span span;
  Text reason;
  bool aborted = false;
  Text error;
  friend bool operator==(const Compaction&, const Compaction&) = default;
};

/// One answer of the model and the tools it called. Where it begins is a bound: pi's record has
/// only its end, and the first thing seen of it is later than its request.
struct Turn {
  Mark after;  ///< it began after this
  Mark end;
  std::uint32_t number = 0;     ///< as pi counts, from 1; 0 while it is open
  std::uint32_t agent_run = 0;  ///< place in Attempt::agent_runs
  std::uint32_t tool_calls = 0;
  friend bool operator==(const Turn&, const Turn&) = default;
};

/// One of pi's low-level runs inside an attempt; a retry or an overflow recovery begins another.
struct AgentRun {
  Mark after;  ///< it began after this
  Mark end;
  bool will_retry = false;
  friend bool operator==(const AgentRun&, const AgentRun&) = default;
};

/// The child said nothing for longer than is usual. Noticed at `noticed`, `silent_ms` after its
/// last word.
struct Silence {
  Mark noticed;
  std::uint64_t silent_ms = 0;
  schema::Activity activity{};
  Text subject;
  friend bool operator==(const Silence&, const Silence&) = default;
};

struct StopStep {
  Mark at;
  schema::StopReason reason{};
  std::uint32_t signal = 0;
  std::uint32_t step = 0;
  friend bool operator==(const StopStep&, const StopStep&) = default;
};

struct FinalMessage {
  Mark at;
  std::optional<schema::BlobRef> text;
  std::uint64_t bytes = 0;
  Text stop_reason;
  Text excerpt;
  friend bool operator==(const FinalMessage&, const FinalMessage&) = default;
};

/// A line that somebody told: progress, a report, an anomaly, a secret. `label` is its kind.
struct Note {
  Mark at;
  Text label;
  Text text;
  friend bool operator==(const Note&, const Note&) = default;
};

struct Attempt {
  std::uint32_t job = 0;     ///< 0: it serves the run itself
  std::uint32_t number = 0;  ///< within its job
  schema::AttemptPurpose purpose{};
  std::uint32_t retry_of = 0;
  std::uint32_t session_from = 0;
  Text model;
  std::optional<schema::BlobRef> prompt;

  Mark requested;
  Mark launched;
  Mark launch_failed;
  Mark session;  ///< pi's first line
  Mark exited;   ///< its process is gone; with `lost` when nobody saw it end
  Mark lost;
  Mark swept;
  Mark settled;     ///< pi said that nothing automatic follows
  Mark classified;  ///< its last event
  std::vector<Mark> adopted;

  Text session_id;
  Text launch_error;
  schema::LostReason lost_reason{};
  schema::ExitKnowledge knowledge{};
  std::int32_t exit_code = 0;
  std::uint32_t signal = 0;
  schema::SignalSender sender{};
  std::uint32_t leftovers = 0;
  std::uint32_t survivors = 0;

  schema::Ending ending{};
  schema::FailureKind failure{};
  schema::ProviderFailure provider_failure{};
  std::uint32_t http_status = 0;
  Text reason;
  Text error;

  std::vector<AgentRun> agent_runs;
  std::vector<Turn> turns;
  std::vector<ToolCall> tools;
  std::vector<Request> requests;
  std::vector<ProviderRetry> retries;
  std::vector<Compaction> compactions;
  std::vector<Silence> silences;
  std::vector<StopStep> stops;
  std::vector<FinalMessage> finals;  ///< the last one counts
  std::vector<Note> notes;

  /// From the start of its process to its end. Empty where it never ran.
  Span running() const { return {launched, exited.known() ? exited : lost}; }
  friend bool operator==(const Attempt&, const Attempt&) = default;
};

}  // namespace pievt::story
