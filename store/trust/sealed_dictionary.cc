#include "store/trust/sealed_dictionary.h"

#include <algorithm>
#include <span>

#include "store/format/zstd_dictionary.h"

namespace pievt::sealed {
namespace {

constexpr std::size_t sample_bytes_max = 3u << 20;
// What a dictionary is worth shows at this level too (the choice was the same as at the highest
// one), in a fiftieth of the time.
constexpr int judging_level = 9;
constexpr std::size_t candidates[] = {8u << 10, 32u << 10, 110u << 10};
// What repeats from event to event is what is to be found, so pieces are about as long as events.
constexpr std::size_t piece_bytes = 512;

}  // namespace

void DictionaryChoice::see(const EventView& event) {
  ++events_;
  if (sampled_ >= sample_bytes_max) return;
  ++events_sampled_;
  packer_.add(event);
  if (!packer_.full()) return;
  sample_.push_back(packer_.take());
  sampled_ += sample_.back().size();
}

Result<std::vector<std::byte>> DictionaryChoice::choose() {
  if (packer_.count() > 0) sample_.push_back(packer_.take());
  std::vector<std::byte> chosen;
  if (sample_.size() < 2) return chosen;
  std::vector<std::span<const std::byte>> pieces;
  for (const std::vector<std::byte>& frame : sample_) {
    for (std::size_t at = 0; at < frame.size(); at += piece_bytes)
      pieces.push_back(std::span(frame).subspan(at, std::min(piece_bytes, frame.size() - at)));
  }
  const double whole = static_cast<double>(events_) / static_cast<double>(events_sampled_);
  const auto packed = [&](std::span<const std::byte> dictionary) -> Result<double> {
    FrameCompressor compressor(judging_level, dictionary);
    std::size_t bytes = 0;
    for (const std::vector<std::byte>& frame : sample_)
      bytes += PIEVT_TRY(compressor.compress(frame)).size();
    return static_cast<double>(bytes) * whole;
  };
  FrameCompressor plain(judging_level);
  double best = PIEVT_TRY(packed({}));
  for (const std::size_t size : candidates) {
    std::vector<std::byte> candidate = train_dictionary(pieces, size);
    if (candidate.empty()) break;
    const auto own = PIEVT_TRY(plain.compress(candidate));
    const double total = PIEVT_TRY(packed(candidate)) + static_cast<double>(own.size());
    if (total >= best) continue;
    best = total;
    chosen = std::move(candidate);
  }
  return chosen;
}

}  // namespace pievt::sealed
