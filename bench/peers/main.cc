// The same 240-byte events through pievt and through everything else that is installed, in turns;
// then what is asked of large stores. Prints a table and writes the JSON that docs/performance.md
// is made from.
//
//   peers_bench [--quick] [--dir DIR] [--json FILE] [--events N] [--pievt PROGRAM]
#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "bench/frame/results.h"
#include "bench/peers/large_store.h"
#include "bench/peers/scans.h"
#include "bench/peers/workloads.h"

namespace pievt::bench {
namespace {

using measure::Line;

void add(std::vector<Line>& to, std::vector<Line> lines) {
  for (Line& line : lines) to.push_back(std::move(line));
}

bool say(std::string_view what) {
  return go_on("peers_bench", what);
}

// The plain file's rate of single appends, which the row of many processes is compared with.
double file_rate(const std::vector<Line>& lines) {
  const auto file = std::ranges::find(lines, "peers.1x1.file", &Line::name);
  return file == lines.end() ? 0 : file->events_per_s;
}

std::vector<Line> measure_all(const Asked& asked, const std::filesystem::path& directory) {
  std::vector<Line> lines;
  const double seconds = asked.quick ? 2 : 20;
  {
    if (!say("starting everybody")) return lines;
    std::vector<Started> peers = start_all(directory);
    for (const std::size_t events : {1u, 100u, 1000u}) {
      if (!say(fmt::format("one client, {} an append", events))) return lines;
      add(lines, one_client(peers, events, seconds));
    }
    if (!say("64 clients")) return lines;
    add(lines, many_clients(peers, asked.quick ? 1 : 5));
  }
  if (!say("many processes")) return lines;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  lines.push_back(many_processes(directory, self, asked.quick ? 1 : 5, file_rate(lines)));
  if (!say("scans beside RocksDB's iterator")) return lines;
  add(lines, measure_scans(directory, asked.quick ? 100'000 : 400'000));
  if (asked.pievt.empty() || !say("a large store")) return lines;
  add(lines, measure_large_store(directory, asked.pievt, asked.events));
  return lines;
}

}  // namespace
}  // namespace pievt::bench

int main(int argc, char** argv) {
  using namespace pievt::bench;
  if (argc == 4 && std::string_view(argv[1]) == "--writer")
    return be_a_writer(argv[2], std::strtod(argv[3], nullptr));
  const auto asked = read_command_line("peers_bench", argc, argv);
  if (!asked) return 2;
  return run_bench("peers_bench", "pievt.peers", *asked,
                   [&](const auto& directory) { return measure_all(*asked, directory); });
}
