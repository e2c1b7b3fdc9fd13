// Arrow: the events of a run as a table, for data frames and notebooks.
#pragma once

#include <memory>

#include "tools/exporters/exporter.h"

namespace pievt::tools {

/// An Arrow IPC stream with a row for each event, in batches of some thousand.
std::unique_ptr<Exporter> make_arrow(Export& work);

}  // namespace pievt::tools
