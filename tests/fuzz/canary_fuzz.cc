// The fuzzer that must fail: a parser with a planted fault behind a few conditions, in each of the
// ways in which a real one shows. If the machinery cannot find these, its silence about the others
// is worth nothing.
//
// The input is `CNRY` and items of kind, length and so many bytes. PIEVT_CANARY says what an item
// of kind 7 does, which no input of the corpus has, behind one of kind 2: `abort`, `overflow` (one
// byte behind the input is read), `leak`, `hang`; otherwise it is an item like others.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

volatile std::uint64_t sink = 0;

void misbehave(const std::uint8_t* end) {
  const char* set = std::getenv("PIEVT_CANARY");
  const std::string_view fault = set == nullptr ? "" : set;
  if (fault == "abort") std::abort();
  if (fault == "overflow") sink = sink + *end;
  if (fault == "leak") sink = sink + (std::malloc(1) != nullptr);
  while (fault == "hang") sink = sink + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || std::memcmp(data, "CNRY", 4) != 0) return 0;
  std::size_t at = 4;
  bool ready = false;
  while (size - at >= 2) {
    const std::uint8_t kind = data[at];
    const std::size_t length = data[at + 1];
    at += 2;
    if (length > size - at) return 0;
    if (kind == 7 && ready) misbehave(data + size);
    ready = ready || kind == 2;
    at += length;
  }
  return 0;
}
