// The work that every peer is given, in turns: one turn each, again and again, so that a disk that
// changes its speed changes it for all of them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/peers/peer.h"
#include "tools/measure/report.h"

namespace pievt::bench {

/// A peer that has been started, or why not.
struct Started {
  PeerRow row;
  std::unique_ptr<Peer> peer;
  std::string skipped;
};

/// All of them, each in a directory of its own below `directory`.
std::vector<Started> start_all(const std::filesystem::path& directory);

/// One client, `events` an append, for `seconds` altogether. "peers.1x100.redis".
std::vector<measure::Line> one_client(std::vector<Started>& peers, std::size_t events,
                                      double seconds);

/// 64 clients at once, one event an append; `rounds` rounds of half a second for each peer.
/// "peers.64x1.redis".
std::vector<measure::Line> many_clients(std::vector<Started>& peers, int rounds);

/// 8 processes with 8 threads each, all appending to one store of pievt, one event an append.
/// `program` is started for each, with `--writer STORE SECONDS`.
measure::Line many_processes(const std::filesystem::path& directory,
                             const std::filesystem::path& program, double seconds,
                             double file_rate);

/// What such a process does: opens, says "ready", waits for a line, appends, prints its latencies
/// in nanoseconds. Returns the process's exit code.
int be_a_writer(const std::filesystem::path& store, double seconds);

}  // namespace pievt::bench
