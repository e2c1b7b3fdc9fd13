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
/// Of those, what stands in a row of an attempt.
bool carried_by_csv(schema::Payload type);

}  // namespace pievt::tools
