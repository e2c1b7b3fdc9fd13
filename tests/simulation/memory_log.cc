#include "tests/simulation/memory_log.h"

#include <stdexcept>

#include "store/format/codec.h"

namespace pievt::simulation {

View::View(const Stored& event)
    : stamp_(0, 0, event.revision, event.wall_ns, event.boot_ns,
             static_cast<std::uint32_t>(event.body.size()), 0) {
  view_.stamp = &stamp_;
  view_.body = event.body;
  view_.envelope = schema::GetEnvelope(event.body.data());
}

void MemoryLog::append(std::uint64_t after, const std::vector<NewEvent>& events,
                       std::uint64_t wall_ns, std::uint64_t boot_ns) {
  if (after != events_.size()) throw std::logic_error("an append after the wrong revision");
  for (const NewEvent& event : events) {
    Stored stored{events_.size() + 1, wall_ns, boot_ns, {}};
    const std::size_t size = format::BodyEncoder().append(event, stored.body);
    stored.body.resize(size);
    events_.push_back(std::move(stored));
  }
}

void MemoryLog::read(const std::function<void(const EventView&)>& see) const {
  for (const Stored& event : events_) see(*View(event));
}

RunState MemoryLog::state() const {
  RunState run;
  read([&](const EventView& event) { apply(run, event); });
  return run;
}

std::uint64_t MemoryLog::digest() const {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3; };
  for (const Stored& event : events_) {
    mix(event.revision);
    mix(event.wall_ns);
    for (const std::byte byte : event.body) mix(std::to_integer<std::uint64_t>(byte));
  }
  return hash;
}

}  // namespace pievt::simulation
