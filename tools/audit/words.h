// Small words that every part of a report needs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/audit/report.h"

namespace pievt::audit {

/// "r2 r3"; beyond `most` names "r2 r3 and 96 more". `most` 0: all of them.
std::string ids_of(const RunState& run, std::span<const std::uint32_t> jobs, std::size_t most = 6);
/// "r2 and r3", "a, b and c".
std::string joined(const RunState& run, std::span<const std::uint32_t> jobs);

/// "0.67 s", "2.6 s", "1m 20s".
std::string span_text(std::uint64_t duration_ns);

/// "provider error", "no answer to use", ...: what people call a kind.
std::string_view label_of(schema::FailureKind kind);

/// Whether the model's provider failed, in whatever way.
bool is_provider(schema::FailureKind kind);

/// The text without what differs from one request to the next: numbers of four digits and more, and
/// ids.
std::string without_numbers(std::string_view text);

/// "events" appended in order, each once, at most `most`.
void add_event(Events& events, std::uint64_t revision, std::size_t most = 40);

/// "pi-jobs 0.5" of the ruleset "pi-jobs-0.5".
std::string program_of(std::string_view ruleset);

/// "26 %": rounded, never 0 of something and never 100 of less than all.
std::string percent_text(std::int64_t part, std::int64_t whole);

/// One line of at most `most` characters.
std::string shortened(std::string_view text, std::size_t most = 100);

}  // namespace pievt::audit
