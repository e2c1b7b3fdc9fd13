// "Did you mean": the known word closest to one that is not known.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "store/views/edit_distance.h"

namespace pievt::tools {

/// The word that `typed` was probably meant to be: one that begins with it (at least two letters),
/// else the one fewest edits away, if that is at most a third of the word's length and never more
/// than three. The first of equals; nothing when no word is near.
std::optional<std::string_view> nearest(std::string_view typed,
                                        std::span<const std::string_view> words);

/// ` (did you mean "show"?)`, or nothing.
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> words);

}  // namespace pievt::tools
