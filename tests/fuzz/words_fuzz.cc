// Any text as what people type: an append id, a duration, a moment.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "pievt/ids.h"
#include "tools/frame/moment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pievt;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto id = parse_append_id(text);
  PIEVT_ASSERT(id.ok() || id.error().code == Errc::invalid);
  PIEVT_ASSERT(!id.ok() || parse_append_id(to_string(*id)).value() == *id);

  const auto duration = tools::parse_duration(text);
  PIEVT_ASSERT(duration.ok() ? *duration >= 0 : duration.error().code == Errc::invalid);

  constexpr std::int64_t now_ns = 1'700'000'000'000'000'000;
  for (const auto zone : {render::Zone::utc, render::Zone::local}) {
    const auto moment = tools::parse_moment(text, now_ns, zone);
    PIEVT_ASSERT(moment.ok() || moment.error().code == Errc::invalid);
    // What a moment is shown as, is that moment; one before 1970 cannot be typed as a date.
    if (!moment.ok() || *moment < 0) continue;
    const std::string shown = render::rfc3339(*moment, zone, render::Precision::nanoseconds);
    const auto again = tools::parse_moment(shown, now_ns, zone);
    PIEVT_ASSERT(again.ok() && *again == *moment);
  }
  return 0;
}
