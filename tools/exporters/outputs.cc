#include "tools/exporters/outputs.h"

namespace pievt::tools {

void CapturedOutputs::see(const EventView& event) {
  const auto* captured = event.envelope->payload_as_OutputCaptured();
  if (captured == nullptr) return;
  const std::uint32_t job = event.head().job(), attempt = event.head().attempt();
  CapturedChannel& channel = found_[{job, attempt, captured->channel()}];
  channel.key = {{}, job, attempt, captured->channel()};
  channel.chunks.push_back(
      {captured->chunk(), captured->offset(), captured->size(), captured->restart()});
}

std::vector<CapturedChannel> CapturedOutputs::take(const std::string& run_id, const RunState& run) {
  std::vector<CapturedChannel> channels;
  for (auto& [key, channel] : found_) {
    channel.key.run = run_id;
    if (channel.attempt_in(run) != nullptr) channels.push_back(std::move(channel));
  }
  return channels;
}

Result<std::vector<CapturedChannel>> captured_channels(const RunSource& source,
                                                       const RunState& run) {
  CapturedOutputs outputs;
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    outputs.see(event);
    return {};
  }));
  return outputs.take(source.run_id(), run);
}

}  // namespace pievt::tools
