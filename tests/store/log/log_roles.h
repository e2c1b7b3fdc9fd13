// What the writers of log_roles.cc append, so that tests can tell what was attempted, and the
// check that every test ends with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pievt/log.h"

namespace pievt::test {

/// The texts of append number `append` (from 0) in round `round`: one to three of them.
std::vector<std::string> attempted_texts(int round, int append);

/// Their events; each says that it happened before the one before it, as after a clock set back.
std::vector<NewEvent> attempted_events(int round, int append);

/// Walks through every page of an open log: sequences without a gap, bodies and chain as hashed.
Status verify_chain(const Log& log);

}  // namespace pievt::test
