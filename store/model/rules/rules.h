// What the rulesets are made of. Internal: others ask `rulesets()`.
#pragma once

#include "pievt/ruleset.h"

namespace pievt::rules {

/// pievt_1.cc
extern const Ruleset pievt_1;
/// pi_jobs_05.cc
extern const Ruleset pi_jobs_05;

/// ending.cc. How the work of an attempt ended: its report's word first, then its last message.
schema::WorkEnding work_ending(const AttemptState& attempt);

/// weak.cc. Why a success of this attempt rests on little, one line each. `gate`: its acceptance
/// gate, or null.
std::vector<std::string> weak_points(const AttemptState& attempt, const GateState* gate,
                                     schema::WorkEnding ending);

/// Whether any of the gate's checks looked at what is in the work, and not only whether it is
/// there.
bool looks_at_content(const GateState& gate);

}  // namespace pievt::rules
