// Which output of which attempts a run has captured, from its events.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "pievt/run_source.h"

namespace pievt::tools {

struct CapturedChunk {
  std::uint32_t number = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool restart = false;
};

struct CapturedChannel {
  OutputKey key;
  std::vector<CapturedChunk> chunks;

  std::uint64_t bytes() const {
    return chunks.empty() ? 0 : chunks.back().offset + chunks.back().size;
  }
  /// The attempt as RunSource::output wants it; null in a state that has no such attempt.
  const AttemptState* attempt_in(const RunState& run) const {
    return find_attempt(run, key.job, key.attempt);
  }
};

/// Learns it from the events of a run, each told once and in order.
class CapturedOutputs {
 public:
  void see(const EventView& event);

  /// By job, attempt and channel. Channels of attempts that were never declared are left out: the
  /// state `run` does not have them. To be asked once.
  std::vector<CapturedChannel> take(const std::string& run_id, const RunState& run);

 private:
  std::map<std::tuple<std::uint32_t, std::uint32_t, schema::OutputChannel>, CapturedChannel> found_;
};

/// Of a whole run, in a walk of its own.
Result<std::vector<CapturedChannel>> captured_channels(const RunSource& source,
                                                       const RunState& run);

}  // namespace pievt::tools
