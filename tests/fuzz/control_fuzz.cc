// The messages of a run's control socket: any bytes are a message or refused, and what is
// understood is understood the same way when it is sent again.
#include <cstddef>
#include <cstdint>
#include <span>

#include "supervisor/control/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pievt;
  const auto message = control::parse(std::as_bytes(std::span(data, size)));
  if (!message.ok()) return 0;
  const wire::Frame once = control::frame_of(*message);
  const auto again = control::parse(std::span(once).subspan(wire::frame_prefix_bytes));
  PIEVT_ASSERT(again.ok());
  PIEVT_ASSERT(control::frame_of(*again) == once);
  return 0;
}
