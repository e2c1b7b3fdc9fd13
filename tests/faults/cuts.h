// Which cuts of the power are tried. All of them where there are few, a seeded sample where there
// are many.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/fault_fs/disk.h"

namespace pievt::faults {

/// Up to this many pieces every subset is tried: 32 images.
inline constexpr std::size_t pieces_all_max = 5;

/// Every choice a cut has with these pieces pending, or a sample: none, all, each prefix, each one
/// lost, each one alone, some at random. Then each write torn, after everything before it.
std::vector<Choice> choices(const std::vector<Disk::Piece>& pending, std::mt19937_64& dice);

}  // namespace pievt::faults
