// Lines of a foreign record on their way into events. An event cannot be redacted later, so what
// looks like a secret is masked in it; the whole text stays in its blob, which can.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pievt/event.h"

namespace pievt::tools {

/// One line of at most 200 bytes, without secrets.
std::string harmless_line(std::string_view text);

/// What looks like a secret in a text: rule, offset, size and the first characters, where those are
/// no part of what is secret. Place and whereabouts are the caller's.
std::vector<schema::SecretFoundT> secrets_in(std::string_view text);

}  // namespace pievt::tools
