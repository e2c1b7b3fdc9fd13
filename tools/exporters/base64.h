// Bytes in JSON: base64 as RFC 4648 has it, with padding.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"

namespace pievt::tools {

/// Appends the text of `bytes` to `out`.
void append_base64(std::string& out, std::span<const std::byte> bytes);

/// invalid: anything append_base64 does not write.
Result<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace pievt::tools
