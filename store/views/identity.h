// What makes a saved state usable: the view's name, the version of its code and the schema of its
// bytes.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "store/format/hash.h"

namespace pievt {

inline std::string view_identity(std::string_view name, int code_version,
                                 std::span<const std::uint8_t> schema) {
  const Digest digest = sha256(std::as_bytes(schema));
  return fmt::format("{}/{}/{}", name, code_version, hex(std::span(digest).first(8)));
}

}  // namespace pievt
