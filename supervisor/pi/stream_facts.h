// What is remembered of a run's stream to judge it by: a fold over the observations.
//
// Its size does not grow with the run: counts, states, and a summary of the last assistant message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "supervisor/pi/stream_events.h"

namespace pievt::pi {

/// The last assistant message, as far as the ending depends on it. Long strings are cut, see
/// limits.h.
struct FinalMessage {
  StopReason stop_reason = StopReason::none;
  std::string stop_reason_text;
  std::string error_message;
  std::uint64_t visible_characters = 0;  ///< of its text, without the white space around it
  std::uint64_t thinking_bytes = 0;
  std::uint32_t tool_calls = 0;
  std::uint64_t total_tokens = 0;
  bool has_raw_stop_reason = false;  ///< the provider said itself how the message ended (1.x)

  friend bool operator==(const FinalMessage&, const FinalMessage&) = default;
};

FinalMessage summary_of(const MessageEnded& message);

/// A connection that closed early looks like this to 0.73: a message with neither usage nor the
/// provider's own word for its end.
bool may_be_cut(const FinalMessage& message);

struct StreamFacts {
  bool header_seen = false;
  std::string session_id, cwd;

  bool run_open = false;        ///< agent_start without agent_end
  bool agent_end_seen = false;  ///< since the last agent_start
  bool settled = false;         ///< agent_settled since the last agent_start
  bool announces_settling =
      false;                   ///< this pi prints agent_settled, so its absence means something
  bool retry_pending = false;  ///< auto_retry_start, and nothing since
  std::optional<CompactionReason> compaction_open;
  std::uint64_t tools_open = 0;

  std::optional<FinalMessage> final_message;
  bool final_message_lost = false;  ///< a later one was too long to be read

  std::uint64_t agent_runs = 0;  ///< low-level runs: every retry starts one
  std::uint64_t turns = 0;
  std::uint64_t assistant_messages = 0;
  std::uint64_t failed_messages = 0;  ///< with stopReason error, retried or not
  std::uint64_t retries = 0;
  std::uint64_t compactions = 0;
  std::uint64_t tools_ended = 0;
  std::uint64_t tools_failed = 0;
  std::uint64_t doubtful_tools = 0;  ///< run for a message that may have been cut (0.73)
  std::uint64_t unparsable_lines = 0;
  std::uint64_t earlier_failures = 0;  ///< prompts before the last that ended in an error

  Usage usage;  ///< summed over all assistant messages; failed ones report none

  bool last_run_failed = false;  ///< the run that ended last did so in an error nobody retries yet

  friend bool operator==(const StreamFacts&, const StreamFacts&) = default;
};

void apply(StreamFacts& facts, const Observation& observation);

}  // namespace pievt::pi
