// The messages of the store's socket: any bytes are a message or refused, a message that is
// understood is understood the same way when it is sent again, and what an append brings into the
// log can be shown.
#include <cstddef>
#include <cstdint>
#include <span>

#include "store/format/page.h"
#include "store/format/reflect_json.h"
#include "store/format/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pievt;
  const auto bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(wire::first_message(bytes));
  const auto message = wire::parse(bytes);
  if (!message.ok()) return 0;
  if (const auto* append = std::get_if<wire::Append>(&*message)) {
    const auto frame = wire::frame_of(append->append.impl());
    PIEVT_ASSERT(wire::parse(std::span(frame).subspan(wire::prefix_bytes)).ok());
    std::span<const std::byte> left = append->append.impl().bodies;
    for (const auto& event : append->append.impl().events) {
      const auto body = left.first(event.body_bytes);
      PIEVT_ASSERT(reflect::to_json(reflect::Schema::embedded_events(), body).ok());
      left = left.subspan(format::padded(event.body_bytes));
    }
  }
  return 0;
}
