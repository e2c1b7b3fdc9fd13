// Which pievt this is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pievt {

/// As in `pievt 0.1.0`.
extern const std::string_view version;

/// "RocksDB 7.8.3" and so on: the libraries the store stands on.
std::vector<std::string> store_library_versions();

}  // namespace pievt
