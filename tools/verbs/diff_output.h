// A difference between two runs as people and programs read it.
#pragma once

#include "pievt/log.h"
#include "tools/frame/context.h"
#include "tools/verbs/run_difference.h"

namespace pievt::tools {

enum class DiffForm : std::uint8_t {
  full,  ///< everything, with texts
  stat,  ///< a line a job
};

/// Where bodies are read from: null for plans, which have none.
struct DiffBodies {
  const Log* log = nullptr;
  std::size_t lines_max = 40;  ///< of one text's difference
};

void write_difference(Context& context, const RunDifference& difference, const DiffBodies& bodies,
                      DiffForm form);

/// The JSON document `pievt.diff`.
void write_difference_document(const Context& context, const RunDifference& difference,
                               const DiffBodies& bodies);

}  // namespace pievt::tools
