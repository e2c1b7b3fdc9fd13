// How a run of pi ended, from what its stream said, how the process went, and its session file.
//
// pi's exit code says nothing about the model's run: in json mode it is 0 for refused, failed, cut
// and empty answers alike. So the decision is taken from facts, by one pure function that can be
// asked again years later. It gives the verdict that was established for every recorded run of both
// versions (tests/supervisor/pi/data/verdicts.tsv).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "supervisor/pi/provider_failure.h"
#include "supervisor/pi/session_file.h"
#include "supervisor/pi/stream_facts.h"

namespace pievt::pi {

enum class Ending : std::uint8_t {
  ok,             ///< stopped by itself and said something
  empty,          ///< stopped by itself without content
  thinking_only,  ///< stopped by itself; thought, but said nothing
  tool_only,      ///< stopped by itself on tool calls that were not run
  truncated,      ///< ran into the output token limit
  failed,         ///< the provider failed, or pi did in the middle of the run
  aborted,        ///< the run was told to stop and did
  killed,         ///< the process was ended by a signal
  failed_to_run,  ///< bad configuration, or a crash before any answer
  no_run,         ///< nothing to do: an empty prompt
  incomplete,     ///< the process ended before its run did
  lost,           ///< 0.73: worked on unseen after a context overflow; the workspace is dirty
  suspect,        ///< looks like success, but 0.73 cannot tell it from a cut connection
};

/// Which of pi's interfaces was used: only json mode prints a header before anything else.
enum class Interface : std::uint8_t { json, rpc };

/// How the process ended. Neither set: nobody saw it end.
struct ExitFacts {
  std::optional<int> exit_code;
  std::optional<int> signal;
  Interface interface = Interface::json;
};

struct Outcome {
  Ending ending = Ending::incomplete;
  std::string reason;  ///< one sentence for people, without a full stop
  ProviderFailure failure = ProviderFailure::none;
  std::optional<int> http_status;  ///< where the provider's message began with one
  Retryable retryable = Retryable::no;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// The stable names ("failed_to_run").
std::string_view name_of(Ending ending);

/// Pure. Call it when the stream has ended *and* the process is gone.
///
/// `session` matters only when the exit code is 0 and the stream stops short of its end; pass an
/// empty one when there is no file.
Outcome decide_outcome(const StreamFacts& stream, const ExitFacts& exit,
                       const SessionTail& session);

}  // namespace pievt::pi
