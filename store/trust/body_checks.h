// What events refer to: texts, and the raw output of attempts.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>

#include "store/format/reflect.h"
#include "store/format/zstd_codec.h"
#include "store/log/log_impl.h"
#include "store/trust/findings.h"

namespace pievt {

class BodyChecks {
 public:
  BodyChecks(const Log::Impl& log, Findings& findings) : log_(&log), findings_(&findings) {}

  /// The events in their order. `schema`: what the event's page names; null: only what this program
  /// knows of by itself is looked at. `stream`: the event's stream.
  void event(const EventView& event, Sequence page, const reflect::Schema* schema,
             const std::string& stream);

 private:
  struct ChannelKey {
    std::uint32_t stream = 0, job = 0, attempt = 0;
    schema::OutputChannel channel{};
    auto operator<=>(const ChannelKey&) const = default;
  };
  struct Channel {
    ChunkChain chain;
    std::uint32_t next_chunk = 0;
    std::uint64_t offset = 0;
    bool readable = true;  ///< false behind a chunk that could not be unpacked, until a restart
  };

  void body(const schema::BlobRef& ref, const std::string& field, const Place& place);
  void chunk(const schema::OutputCaptured& captured, const EventView& event, const Place& place);

  const Log::Impl* log_;
  Findings* findings_;
  PrimedDecompressor decompressor_;
  std::map<ChannelKey, Channel> channels_;  // of attempts that are not over yet
  std::unordered_set<std::uint64_t> seen_;  // bodies that were read already
};

}  // namespace pievt
