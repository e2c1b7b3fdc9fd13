// Ruleset pi-jobs-0.5: what pi-jobs 0.5 made of the same facts, bug for bug, so that its old
// verdicts can be understood and compared. Pure functions; tests/store/model/data has what pi-jobs
// itself answered.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/ruleset.h"

namespace pievt::rules::pi_jobs {

enum class RuntimeStatus : std::uint8_t { success, error, aborted };

/// What pi-jobs kept of a child that is gone.
struct Runtime {
  RuntimeStatus status = RuntimeStatus::success;
  /// Its raw kind, before classification; unknown where it had none.
  schema::FailureKind raw = schema::FailureKind::unknown;
  std::string stop_reason, error, stderr_tail;
  bool saw_terminal = false;
};

/// A kind, and whether its parent would try again.
struct Retry {
  schema::FailureKind failure = schema::FailureKind::none;
  bool retryable = false;
  std::string reason;
};

/// Its name for a kind: `aborted` for cancelled.
std::string_view word_of(schema::FailureKind kind);
bool retryable(schema::FailureKind kind);

Retry classify(const Runtime& runtime);

enum class Report : std::uint8_t { not_submitted, completed, partial, blocked, error, invalid };
enum class Acceptance : std::uint8_t { skipped, passed, warning, failed, pending };
enum class Audit : std::uint8_t { not_asked, ok, degraded };

struct Question {
  Runtime runtime;
  Report report = Report::not_submitted;
  Acceptance acceptance = Acceptance::skipped;
  bool protocol_error = false;
  Audit audit = Audit::not_asked;
};

/// `blocking`: its gate `protocol` is `report` or `final_message` here, by what it asked.
struct Decision {
  schema::JobStatus status = schema::JobStatus::succeeded;
  schema::BlockingGate blocking = schema::BlockingGate::none;
  Retry retry;
  std::string reason;
};
Decision decide(const Question& question);

// pi_jobs_steps.cc: what it did while a job ran.

/// What a message was made of, as far as its reducer looked.
enum class Content : std::uint8_t { thinking_only, anything_else };

/// One parsed object of a child's stdout.
struct StreamObject {
  std::string type;
  bool from_assistant = false;
  std::string stop_reason;
  std::optional<std::string> error;
  Content content = Content::anything_else;
};

struct Terminal {
  bool saw = false;
  std::string stop_reason;
  std::optional<std::string> error;
  friend bool operator==(const Terminal&, const Terminal&) = default;
};

enum class GuardAction : std::uint8_t { none, schedule_exit_guard, cancel_exit_guard };

/// Takes one object into the state and says what became of the guard against lingering children.
GuardAction reduce(Terminal& state, const StreamObject& object);

struct Backoff {
  double initial_ms = 1500, max_ms = 15000, multiplier = 2;
  bool jitter = true;
};
/// `attempt`: the one that failed, from 1. `chance`: 0 to 1.
std::uint64_t backoff_ms(const Backoff& policy, std::uint32_t attempt, double chance);

struct ThrottlePolicy {
  bool enabled = false;
  double min = 1, max = 1, threshold = 0.2, window = 5;
};
/// Zeroes stand for what was not given.
ThrottlePolicy normalised(const ThrottlePolicy& given, double requested);

struct ThrottleStep {
  double previous = 0, next = 0, rate = 0;
  std::string reason;
};

class Throttle {
 public:
  /// `policy` is normalised.
  Throttle(const ThrottlePolicy& policy, double requested);
  /// One job has ended, with this kind. Nothing: no decision.
  std::optional<ThrottleStep> record(schema::FailureKind kind);
  double current() const { return current_; }

 private:
  ThrottlePolicy policy_;
  double current_;
  std::deque<bool> seen_;
  unsigned stable_ = 0;
};

/// `given`: nothing where it was no finite number.
std::uint64_t timeout_ms(std::optional<double> given);

}  // namespace pievt::rules::pi_jobs
