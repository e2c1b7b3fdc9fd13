// Formats of tracing tools, made from the story of a run.
#pragma once

#include <memory>

#include "tools/exporters/exporter.h"

namespace pievt::tools {

/// OTLP as JSON, with the conventions for generative AI.
std::unique_ptr<Exporter> make_otlp(Export& work);
/// The JSON trace that Perfetto and chrome://tracing open.
std::unique_ptr<Exporter> make_perfetto(Export& work);

}  // namespace pievt::tools
