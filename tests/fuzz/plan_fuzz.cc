// Any bytes as a plan file.
#include "tests/supervisor/plan/fuzz_plan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz_plan(data, size);
}
