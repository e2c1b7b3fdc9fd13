// Any bytes as the body of an event: they become JSON or are refused, the same at every address,
// and whatever a reader takes for an event can be read whole.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <simdjson.h>

#include "store/format/blob_refs.h"
#include "store/format/codec.h"
#include "store/format/reflect_blobs.h"
#include "store/format/reflect_json.h"
#include "store/format/reflect_json_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pievt;  // NOLINT(google-build-using-namespace)
  const reflect::Schema& events = reflect::Schema::embedded_events();
  const std::vector<std::byte> body(reinterpret_cast<const std::byte*>(data),
                                    reinterpret_cast<const std::byte*>(data) + size);
  std::vector<std::byte> odd(size + 1);
  std::memcpy(odd.data() + 1, data, size);

  const auto json = reflect::to_json(events, body);
  const auto again = reflect::to_json(events, std::span(odd).subspan(1));
  PIEVT_ASSERT(json.ok() == again.ok());
  PIEVT_ASSERT(!json.ok() || *json == *again);
  PIEVT_ASSERT(json.ok() == reflect::flatten(events, body).ok());
  const auto blobs = blobs_of(events, body);
  PIEVT_ASSERT(json.ok() == blobs.ok());
  static reflect::BlobFinder finder(events);
  const auto found = finder.find(body);
  PIEVT_ASSERT(found.ok() == blobs.ok());
  PIEVT_ASSERT(!found.ok() || found->size() == blobs->size());
  if (json.ok()) {
    static const reflect::JsonTable table(events);
    std::string text;
    const auto* const root = flatbuffers::GetRoot<flatbuffers::Table>(body.data());
    PIEVT_ASSERT(table.append(text, events.root(), body, root).ok());
    PIEVT_ASSERT(text == *json);
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    PIEVT_ASSERT(parser.parse(*json).get(document) == simdjson::SUCCESS);
  }
  // Reflection refuses more than the generated verifier does, which is right; what it refuses must
  // be visited all the same without harm.
  if (const auto* envelope = format::verified_envelope(body)) {
    static_cast<void>(std::unique_ptr<schema::EnvelopeT>(envelope->UnPack()));
  }
  return 0;
}
