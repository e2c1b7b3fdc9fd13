// The words of pi-jobs 0.5.0 and what they are called here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pievt/event.h"

namespace pievt::tools::pi_jobs {

/// The rules that judged what is imported.
inline constexpr std::string_view ruleset = "pi-jobs-0.5";

/// `success`, `error`, `aborted`; nothing for any other word.
std::optional<schema::JobStatus> job_status(std::string_view word);
std::optional<schema::RunEnding> run_ending(std::string_view word);
std::optional<schema::FailureKind> failure_kind(std::string_view word);
std::optional<schema::CheckStatus> check_status(std::string_view word);
std::optional<schema::GateDecision> gate_decision(std::string_view word);

/// `completed`, `partial`, `blocked`, `error`: a report's own word.
schema::ReportStatus report_status(std::string_view word);

/// What pi-jobs called retryable: a property of the kind, not a promise that another try follows.
bool retryable(schema::FailureKind kind);

/// How an attempt ended, from what pi-jobs recorded of its runtime.
schema::Ending ending_of(std::string_view status, std::string_view failure,
                         std::string_view stop_reason, std::optional<bool> saw_final);

/// Nanoseconds since 1970 of `2026-11-20T12:05:04.604Z`; nothing for anything else (there are
/// records that say `start` and `finish`).
std::optional<std::uint64_t> time_of(std::string_view text);

/// The time in the name of a batch, `2026-11-20T12-05-04-604Z-8084d3`; nothing in other names.
std::optional<std::uint64_t> time_in_name(std::string_view batch);

/// The ordinal in `<job>-a<N>`; nothing where it is not one of `job`.
std::optional<std::uint32_t> attempt_ordinal(std::string_view attempt, std::string_view job);

}  // namespace pievt::tools::pi_jobs
