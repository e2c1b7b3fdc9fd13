// Any bytes as the binary schema that a log carries for events of later versions: it is a schema
// that can be walked, described and locked, or it is refused.
//
// The input is the size of a body as one byte times 8, that body, and the schema it is shown by.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/format/reflect_json.h"
#include "store/format/schema_facts.h"
#include "store/format/schema_markdown.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pievt::reflect;  // NOLINT(google-build-using-namespace)
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const std::size_t body_bytes = std::min<std::size_t>(data[0] * std::size_t{8}, bytes.size());
  const auto schema = Schema::load(bytes.subspan(body_bytes));
  if (!schema.ok()) return 0;
  const std::span<const std::byte> bodies[] = {bytes.first(body_bytes), bytes};
  for (const auto body : bodies) {
    PIEVT_ASSERT(to_json(*schema, body).ok() == flatten(*schema, body).ok());
  }
  const std::vector<std::string> facts = lock_lines(*schema);
  PIEVT_ASSERT(std::ranges::is_sorted(facts));
  const LockDifference same = compare(facts, facts);
  PIEVT_ASSERT(same.missing.empty() && same.added.empty());
  static_cast<void>(rule_violations(*schema));
  static_cast<void>(events_markdown(*schema));
  return 0;
}
