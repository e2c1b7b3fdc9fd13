// CloudEvents 1.0 in JSON, one event a line: what brokers and event buses take.
#pragma once

#include <memory>

#include "tools/exporters/exporter.h"

namespace pievt::tools {

std::unique_ptr<Exporter> make_cloudevents(Export& work);

}  // namespace pievt::tools
