// What the tests of this folder share: recorded runs, and a vocabulary to look at observations
// with.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "supervisor/pi/outcome.h"
#include "supervisor/pi/session_file.h"
#include "supervisor/pi/stream.h"
#include "supervisor/pi/stream_facts.h"

namespace pievt::pi {

constexpr std::size_t in_one_piece = static_cast<std::size_t>(-1);

/// The bytes of the file at `path`; fails the test and is empty if there is none.
std::string read_file(const std::filesystem::path& path);

/// The observations of a whole stream, fed in chunks of `chunk_size` bytes.
std::vector<Observation> observe(std::string_view stream, std::size_t chunk_size = in_one_piece);

/// All but `Streaming`, which alone depends on the chunks.
std::vector<Observation> without_streaming(std::vector<Observation> observations);

/// The observations of one kind.
template <class Event>
std::vector<Event> only(const std::vector<Observation>& observations) {
  std::vector<Event> events;
  for (const Observation& observation : observations) {
    if (const auto* const event = std::get_if<Event>(&observation)) events.push_back(*event);
  }
  return events;
}

StreamFacts facts_of(const std::vector<Observation>& observations);

/// A recorded run and the verdict that was established for it.
struct Capture {
  std::string version, name, verdict;
  ExitFacts exit;
  std::string stdout_bytes;
  std::optional<std::filesystem::path> session;
};

/// The small captures that come with the tests.
std::vector<Capture> small_captures();
Capture small_capture(std::string_view name);

/// All recorded runs with an established verdict, or nothing when they are not on this machine.
std::optional<std::vector<Capture>> recorded_captures();

SessionTail session_of(const Capture& capture);
Outcome outcome_of(const Capture& capture);

}  // namespace pievt::pi
