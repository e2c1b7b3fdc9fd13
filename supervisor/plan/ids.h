// Job ids: what may be one, and how a file name becomes one.
//
// An id is a word in commands, a piece of stream keys and a file name in exports, hence one path
// component of plain ASCII. pi-jobs allows the same letters in ids of up to 80 bytes, so its ids
// are ours; `a..b` is harmless as one component.
#pragma once

#include <string>
#include <string_view>

namespace pievt::plan {

/// A letter or digit, then up to 99 letters, digits, `.`, `_` or `-`.
bool is_safe_id(std::string_view id);

/// The rule, for messages.
constexpr std::string_view id_rule =
    "an id is a letter or digit, then up to 99 letters, digits, \".\", \"_\" or \"-\"";

/// A safe id that looks like `text`: what an id cannot hold becomes `-`. "file" if nothing is left.
std::string made_safe(std::string_view text);

/// The id of the n-th entry of "jobs" (from 1) that has none: t001, t002, … as in pi-jobs.
std::string generated_id(std::size_t number);

}  // namespace pievt::plan
