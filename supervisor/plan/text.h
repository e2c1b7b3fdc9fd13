// Small questions about text: is it UTF-8, is it blank, how is it shown in a message, and which of
// some names did somebody mean.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pievt::plan {

/// The offset of the first byte that is not UTF-8, or npos. Overlong forms and surrogates are not.
std::size_t invalid_utf8_at(std::string_view text);

/// Without white space at both ends. White space is what JavaScript's trim() removes, because
/// documents that its callers wrote must mean the same here.
std::string_view trimmed(std::string_view text);

/// Nothing but white space.
bool is_blank(std::string_view text);

/// In double quotes, control characters escaped, cut after about 60 bytes at a character's end.
std::string shown(std::string_view text);

/// The name that was probably meant by `written`, or empty when none is near. Case, `_` and `-` do
/// not count; swapped, missing, added and changed letters do. Ties go to the earlier name.
std::string_view nearest(std::string_view written, std::span<const std::string_view> names);

}  // namespace pievt::plan
