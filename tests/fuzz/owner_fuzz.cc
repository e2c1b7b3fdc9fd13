// Any text as the owner record in LOCK, as it is and with a checksum that is right: an owner that
// can be written, read again and named in a sentence, or none.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/log/owner.h"

namespace {

void examine(std::string_view text) {
  using namespace pievt;  // NOLINT(google-build-using-namespace)
  const auto owner = parse_record(text);
  constexpr std::int64_t now_ns = 1'700'000'000'000'000'000;
  PIEVT_ASSERT(busy_sentence("store", owner, now_ns).find('\n') == std::string::npos);
  PIEVT_ASSERT(!supervised_sentence("r", owner, now_ns).empty());
  if (!owner) return;
  const std::string again = to_record(*owner);
  PIEVT_ASSERT(again.size() <= 512);
  PIEVT_ASSERT(parse_record(again) == owner);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  examine(text);
  const std::string facts(text.substr(0, std::min(text.find("crc32c: "), size)));
  examine(facts + fmt::format("crc32c: {:08x}\n", pievt::crc32c(std::as_bytes(std::span(facts)))));
  return 0;
}
