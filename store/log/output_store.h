// Where a chunk of captured output lies, for those who check what is there.
#pragma once

#include <cstdint>
#include <string>

#include "pievt/output.h"

namespace pievt {

/// The key of one chunk in Family::blobs.
std::string output_chunk_key(const OutputKey& key, std::uint32_t chunk);

}  // namespace pievt
