#include "pievt/version.h"

#include <fmt/format.h>

#include "pievt/schema/envelope_generated.h"
#include "store/log/rocks.h"

namespace pievt {

const std::string_view version = PIEVT_VERSION;

std::vector<std::string> store_library_versions() {
  return {fmt::format("RocksDB {}", rocks_version()),
          fmt::format("FlatBuffers {}.{}.{}", FLATBUFFERS_VERSION_MAJOR, FLATBUFFERS_VERSION_MINOR,
                      FLATBUFFERS_VERSION_REVISION)};
}

}  // namespace pievt
