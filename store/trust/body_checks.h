// What events refer to: texts, and the raw output of attempts.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "store/format/reflect.h"
#include "store/format/reflect_blobs.h"
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

  /// The marks of bodies that were read elsewhere and are whole; sorted. Until the next call.
  void trust(const std::vector<std::uint64_t>& whole) { whole_ = &whole; }

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

  reflect::BlobFinder& finder(const reflect::Schema& schema);
  void body(const schema::BlobRef& ref, std::string_view field, const Place& place);
  bool is_known(std::uint64_t mark, std::string_view run);
  void chunk(const schema::OutputCaptured& captured, const EventView& event, const Place& place);

  const Log::Impl* log_;
  Findings* findings_;
  std::map<const reflect::Schema*, reflect::BlobFinder> finders_;
  const std::vector<std::uint64_t>* whole_ = nullptr;
  PrimedDecompressor decompressor_;
  std::map<ChannelKey, Channel> channels_;    // of attempts that are not over yet
  std::unordered_set<std::uint64_t> seen_;    // bodies that were read already
  std::unordered_set<std::uint64_t> absent_;  // those of them that are not there
  std::unordered_set<std::uint64_t> told_;    // and the runs that was told of
};

}  // namespace pievt
