// Any text as schemas/schema.lock: what is read of it is what is written of that.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/format/schema_facts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pievt::reflect;  // NOLINT(google-build-using-namespace)
  const auto facts = parse_lock({reinterpret_cast<const char*>(data), size});
  PIEVT_ASSERT(parse_lock(lock_text(facts)) == facts);
  const LockDifference same = compare(facts, facts);
  PIEVT_ASSERT(same.missing.empty() && same.added.empty());
  const LockDifference all = compare({}, facts);
  PIEVT_ASSERT(all.missing.empty() && all.added == facts);
  return 0;
}
