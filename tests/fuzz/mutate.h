// Inputs made from other inputs, for the daily run of the fuzzers (smoke_main.cc). Pure: the same
// corpus and the same seed give the same bytes on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pievt::fuzz {

using Bytes = std::vector<std::uint8_t>;

/// The largest input that mutations grow to.
inline constexpr std::size_t input_bytes_max = 256u << 10;

/// One of `corpus` (which is not empty) with one to eight changes: bits and bytes, numbers of 1 to
/// 8 bytes at the edges of their ranges, numbers in text, pieces taken away, said twice, or taken
/// from another input, punctuation, and cuts.
Bytes mutate(std::span<const Bytes> corpus, std::uint64_t seed);

}  // namespace pievt::fuzz
