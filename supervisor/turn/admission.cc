#include "supervisor/turn/admission.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/process/memory.h"

namespace pievt::supervisor {
namespace {

constexpr std::uint32_t children_max_default = 64;

// What a child takes shows in the kernel's numbers only when it has come up.
constexpr std::chrono::seconds coming_up{3};

}  // namespace

std::uint32_t children_for(std::uint64_t memory_bytes, std::uint64_t child_bytes) {
  const std::uint64_t fit = memory_bytes / std::max<std::uint64_t>(1, child_bytes);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fit, 1, children_max_default));
}

Result<Admission> Admission::open(const Options& options) {
  // What this supervisor was told, then what the user decided, then what the machine has.
  std::uint32_t count = options.store_children_max;
  if (count == 0) count = options.settings.store_concurrency.value_or(0);
  const std::uint64_t child_bytes =
      options.settings.child_memory_bytes.value_or(options.child_memory_bytes);
  if (count == 0) {
    const auto memory = process::read_memory();
    count = memory ? children_for(memory->total_bytes, child_bytes) : children_max_default;
  }
  return Admission(PIEVT_TRY(process::Slots::open(options.store / "slots", count)), child_bytes);
}

std::optional<planners::Refusal> Admission::no_memory(process::Moment now) {
  while (!started_.empty() && now - started_.front() > coming_up) started_.pop_front();
  const auto memory = process::read_memory();
  if (!memory) return std::nullopt;
  const std::uint64_t needed = child_bytes_ * (1 + started_.size());
  if (memory->available_bytes >= needed) return std::nullopt;
  return planners::Refusal{
      schema::WaitReason::memory,
      fmt::format("{} MiB of memory are free, and {} MiB are wanted for one more child",
                  memory->available_bytes >> 20, needed >> 20)};
}

Result<Admission::Answer> Admission::ask(std::size_t running) {
  const process::Moment now = process::Clock::now();
  if (running > 0) {
    if (auto refusal = no_memory(now)) return Answer{{}, std::move(refusal)};
  }
  std::optional<process::Slot> slot = PIEVT_TRY(slots_.take());
  if (!slot) {
    return Answer{{},
                  planners::Refusal{schema::WaitReason::store_limit,
                                    fmt::format("{} children run in the whole store, as many as "
                                                "may",
                                                slots_.count())}};
  }
  started_.push_back(now);
  return Answer{std::move(slot), {}};
}

std::optional<process::Slot> Admission::readmit() {
  auto slot = slots_.take();
  return slot.ok() ? std::move(*slot) : std::nullopt;
}

}  // namespace pievt::supervisor
