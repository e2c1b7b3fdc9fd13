// What the parse_*.cc files need of each other.
#pragma once

#include <vector>

#include "supervisor/plan/keys.h"

namespace pievt::plan {

void read_retry(const Field& field, Written& into);                        // parse_policy.cc
void read_acceptance(const Field& field, WrittenAcceptance& into);         // parse_acceptance.cc
void read_depends_on(const Field& field, Written& into);                   // parse_policy.cc
void read_budget(const Field& field, std::optional<WrittenBudget>& into);  // parse_limits.cc
void read_silence(const Field& field, Written& into);                      // parse_limits.cc
/// Milliseconds, 0 to thirty days; notes what is wrong otherwise.
std::optional<std::uint64_t> read_duration(const Field& field);  // parse_limits.cc
void read_timeout(const Field& field, Written& into);            // parse_job.cc
void read_timeout_ms(const Field& field, Written& into);         // parse_job.cc
/// An object of texts and `fromEnv` objects, for a job or a command of its contract.
void read_env(const Field& field, std::map<std::string, WrittenEnvValue>& into);  // parse_job.cc
void read_commands(const Field& field, WrittenAcceptance& into);            // parse_command.cc
void read_isolation(const Field& field, Written& into);                     // parse_isolation.cc
void read_carry(const Field& field, Written& into);                         // parse_isolation.cc
void read_metadata(const Field& field, std::map<std::string, Text>& into);  // parse_job.cc

/// Reads jobs or rows, whichever `where` says, of a list.
std::vector<Written> parse_list(const Field& field, Where where);  // parse_job.cc

}  // namespace pievt::plan
