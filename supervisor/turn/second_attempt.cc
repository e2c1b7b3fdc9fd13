#include "supervisor/turn/second_attempt.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/output.h"
#include "supervisor/launch/session_copy.h"

namespace pievt::supervisor {
namespace {

using schema::FailureKind;

// A session that does not fit into memory many times over does not fit a model either.
constexpr std::uint64_t session_bytes_max = 64u << 20;
constexpr std::size_t reason_bytes_max = 2000;

// Where the conversation itself is what failed, going on in it would fail the same way.
bool can_go_on(const AttemptState& previous) {
  return previous.failure != FailureKind::context_overflow &&
         previous.failure != FailureKind::configuration && previous.launch_error.empty();
}

Result<std::string> stored_session(RunRecord& record, std::uint32_t job,
                                   const AttemptState& previous) {
  std::string text;
  bool fits = true;
  const OutputKey key{record.run_id(), job, previous.number, schema::OutputChannel::session};
  PIEVT_TRY(read_output(record.log(), key, previous, [&](std::span<const std::byte> bytes) {
    fits = fits && text.size() + bytes.size() <= session_bytes_max;
    if (fits) text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Status();
  }));
  return fits ? text : std::string();
}

std::string cut(std::string text) {
  if (text.size() <= reason_bytes_max) return text;
  std::size_t end = reason_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " …";
}

std::string what_it_left(const JobState& job, const AttemptState& previous) {
  if (previous.tool_calls == 0) return "It called no tools.";
  const bool gone = previous.isolation == schema::Isolation::worktree && job.declared != nullptr &&
                    job.declared->retry != nullptr &&
                    job.declared->retry->tree != schema::RetryTree::previous;
  return fmt::format("It called {} tool{}; {}", previous.tool_calls,
                     previous.tool_calls == 1 ? "" : "s",
                     gone ? "what it changed was taken away, you begin with a clean tree."
                          : "what it changed in files is still there, so look before you repeat "
                            "it.");
}

}  // namespace

std::string told_about(const JobState& job, const AttemptState& previous, bool resumed) {
  const std::string ended = cut(job.reason.empty() ? previous.reason : job.reason);
  if (resumed) {
    return fmt::format(
        "Your work on this task was ended before it was done: {}. {} Go on from "
        "where it stopped, and finish the task.\n",
        ended, what_it_left(job, previous));
  }
  return fmt::format(
      "<previous_attempt number=\"{}\">\nAn attempt at the task below did not "
      "succeed: {}. {}\n</previous_attempt>\n\n",
      previous.number, ended, what_it_left(job, previous));
}

Result<Before> before_attempt(RunRecord& record, std::uint32_t number, const std::string& cwd) {
  Before before;
  const JobState* job = find_job(record.state(), number);
  if (job == nullptr || job->attempts.empty() || job->declared == nullptr ||
      job->declared->retry == nullptr)
    return before;
  const schema::RetryPolicyT& policy = *job->declared->retry;
  const AttemptState& previous = *job->attempts.back();
  if (policy.session == schema::RetrySession::resume && can_go_on(previous)) {
    PIEVT_TRY(record.commit());
    const std::string stored = PIEVT_TRY(stored_session(record, number, previous));
    // It may have ended before pi wrote one, or have grown beyond all bounds. Then there is nothing
    // to go on with.
    if (auto session = launch::session_for(stored, cwd); session.ok()) {
      before.session = std::move(*session);
      before.session_from = previous.number;
      before.session_id = previous.session_id;
    }
  }
  const bool resumed = !before.session.empty();
  if (resumed || policy.tree == schema::RetryTree::previous)
    before.told = told_about(*job, previous, resumed);
  return before;
}

}  // namespace pievt::supervisor
