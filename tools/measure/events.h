// The events that everything is measured with: alike in size and in what compresses to what agents
// really leave behind, and the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "pievt/log.h"

namespace pievt::measure {

/// Bytes of one event in a page: its stamp and its padded body.
inline constexpr std::size_t event_bytes = 240;

/// The `number`th tool call's end of a run, of exactly `event_bytes`; all differ in the ways real
/// ones do: 32 of their bytes are a digest, and cannot be compressed.
NewEvent sized_event(std::uint64_t number);

/// An append of `count` such events to the stream `run/bench`, the first one numbered `first`.
std::vector<StreamEvents> one_append(std::size_t count, std::uint64_t first);

/// What a commit of `events` such events adds to the log: page header, commit header, stream entry,
/// events.
constexpr std::size_t page_bytes(std::size_t events) {
  return 64 + 112 + 24 + events * event_bytes;
}

/// As many bytes for a peer, every other one random, because events hold digests.
std::string peer_bytes(std::size_t size);

/// The `index`th event (from 0) of a run in the proportions of recorded ones: turns, usage, tool
/// calls, now and then a message; 100 jobs with one attempt each; about 240 bytes an event.
NewEvent run_event(std::uint64_t index);

/// Writes a run of `events` such events, `per_commit` to a commit, and closes the store. Its stream
/// is `run/bench`.
Status write_run(const std::filesystem::path& store, std::uint64_t events, std::size_t per_commit);

}  // namespace pievt::measure
