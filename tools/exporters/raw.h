// What attempts wrote, byte for byte: of one attempt as it is, of a whole run as a tar archive.
#pragma once

#include <memory>

#include "tools/exporters/exporter.h"

namespace pievt::tools {

/// Standard output and standard error.
std::unique_ptr<Exporter> make_raw(Export& work);
bool carried_by_raw(schema::Payload type);

/// pi's own session files, which pi and every tool for them read.
std::unique_ptr<Exporter> make_pi_session(Export& work);
bool carried_by_pi_session(schema::Payload type);

}  // namespace pievt::tools
