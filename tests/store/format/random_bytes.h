// Bytes that no compressor shortens, the same for the same seed.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

namespace pievt::test {

inline std::vector<std::byte> random_bytes(std::size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

}  // namespace pievt::test
