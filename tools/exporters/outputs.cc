#include "tools/exporters/outputs.h"

#include <map>
#include <tuple>

namespace pievt::tools {

Result<std::vector<CapturedChannel>> captured_channels(const RunSource& source,
                                                       const RunState& run) {
  std::map<std::tuple<std::uint32_t, std::uint32_t, schema::OutputChannel>, CapturedChannel> found;
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    const auto* captured = event.envelope->payload_as_OutputCaptured();
    if (captured == nullptr) return {};
    const std::uint32_t job = event.head().job(), attempt = event.head().attempt();
    CapturedChannel& channel = found[{job, attempt, captured->channel()}];
    channel.key = {source.run_id(), job, attempt, captured->channel()};
    channel.chunks.push_back(
        {captured->chunk(), captured->offset(), captured->size(), captured->restart()});
    return {};
  }));
  std::vector<CapturedChannel> channels;
  for (auto& [key, channel] : found)
    if (channel.attempt_in(run) != nullptr) channels.push_back(std::move(channel));
  return channels;
}

}  // namespace pievt::tools
