// Formats made from the state of a run: what became of each job and attempt, without the way there.
#pragma once

#include <memory>

#include "tools/exporters/exporter.h"

namespace pievt::tools {

/// One row for each attempt, and one for each job that has none.
std::unique_ptr<Exporter> make_csv(Export& work);
/// JUnit XML as continuous integration reads it: a test suite of jobs.
std::unique_ptr<Exporter> make_junit(Export& work);
/// A ticket: verdict, causes, jobs, what was not met.
std::unique_ptr<Exporter> make_markdown(Export& work);

/// Events whose facts the state of a run holds.
bool carried_by_state(schema::Payload type);
/// What a check says, as far as it says it: "expected 12 bytes, found 3 bytes".
std::string seen_by(const schema::CheckT& check);

/// Of those, and what a report is made of besides.
bool carried_by_markdown(schema::Payload type);
/// Of those that a state holds, what stands in a row of an attempt.
bool carried_by_csv(schema::Payload type);

}  // namespace pievt::tools
