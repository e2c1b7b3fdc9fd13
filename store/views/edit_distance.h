// How far one word is from another, for "did you mean".
#pragma once

#include <string_view>

namespace pievt {

/// How many letters must be added, removed, replaced or swapped with their neighbour to get from
/// `a` to `b`. Takes time and memory of both sizes multiplied: it is for words.
int edit_distance(std::string_view a, std::string_view b);

}  // namespace pievt
