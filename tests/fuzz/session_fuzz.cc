// Any bytes as a session file of pi, whole and in two pieces: the same last word.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "supervisor/pi/session_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using pievt::pi::SessionReader;
  using pievt::pi::SessionTail;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t place = size == 0 ? 0 : data[size / 2] * size / 256;
  // From the start, and of a resumed session whose old part ends there.
  for (const std::uint64_t from : {std::uint64_t{0}, std::uint64_t{place}}) {
    SessionReader whole(from), pieces(from);
    whole.feed(bytes);
    pieces.feed(bytes.substr(0, place));
    pieces.feed(bytes.substr(place));
    const SessionTail tail = whole.finish();
    PIEVT_ASSERT(tail == pieces.finish());
    PIEVT_ASSERT(tail.repeated_entries + tail.entries + tail.headers <= size);
  }
  return 0;
}
