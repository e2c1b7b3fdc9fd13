// One run as one HTML file that needs no network: what an operator looks at and sends on.
#pragma once

#include <memory>

#include "tools/exporters/exporter.h"

namespace pievt::tools {

std::unique_ptr<Exporter> make_html(Export& work);
bool carried_by_html(schema::Payload type);

}  // namespace pievt::tools
