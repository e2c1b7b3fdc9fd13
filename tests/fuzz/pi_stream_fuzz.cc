// Any bytes as pi's stdout, whole and in two pieces: the same observations, and never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "supervisor/pi/stream.h"

namespace {

std::vector<pievt::pi::Observation> observe(std::string_view first, std::string_view second) {
  std::vector<pievt::pi::Observation> seen;
  const auto sink = [&seen](pievt::pi::Observation&& observation) {
    // That something streams is told once for each feed, so its number depends on the pieces.
    if (!std::holds_alternative<pievt::pi::Streaming>(observation)) seen.push_back(observation);
  };
  pievt::pi::Stream stream;
  stream.feed(first, sink);
  stream.feed(second, sink);
  stream.finish(sink);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = size == 0 ? 0 : data[0] % size;
  if (observe(bytes, {}) != observe(bytes.substr(0, cut), bytes.substr(cut))) std::abort();
  return 0;
}
