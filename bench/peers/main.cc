// The same 240-byte events through pievt and through everything else that is installed, in turns;
// then what is asked of large stores. Prints a table and writes the JSON that docs/performance.md
// is made from.
//
//   peers_bench [--quick] [--dir DIR] [--json FILE] [--events N] [--pievt PROGRAM]
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>

#include <fmt/format.h>

#include "bench/peers/large_store.h"
#include "bench/peers/scans.h"
#include "bench/peers/workloads.h"
#include "tools/frame/versions.h"
#include "tools/render/table.h"
#include "tools/render/writer.h"

namespace pievt::bench {
namespace {

using measure::Line;
using render::Align;

struct Asked {
  bool quick = false;
  std::filesystem::path directory = ".";
  std::filesystem::path json;
  std::filesystem::path pievt;
  std::uint64_t events = 10'000'000;
};

std::optional<Asked> parse(int argc, char** argv) {
  Asked asked;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--quick") {
      asked.quick = true;
      asked.events = 200'000;
      continue;
    }
    if (i + 1 == argc) return std::nullopt;
    const std::string_view value = argv[++i];
    if (word == "--dir") {
      asked.directory = value;
    } else if (word == "--json") {
      asked.json = value;
    } else if (word == "--pievt") {
      asked.pievt = value;
    } else if (word == "--events") {
      const auto end = value.data() + value.size();
      if (std::from_chars(value.data(), end, asked.events).ptr != end) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return asked;
}

void say(std::string_view what) {
  std::cerr << "peers_bench: " << what << '\n';
}

void add(std::vector<Line>& to, std::vector<Line> lines) {
  for (Line& line : lines) to.push_back(std::move(line));
}

bool go_on(std::string_view what) {
  say(what);
  return !measure::HeldSignals::waiting();
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
    if (!go_on("starting everybody")) return lines;
    std::vector<Started> peers = start_all(directory);
    for (const std::size_t events : {1u, 100u, 1000u}) {
      if (!go_on(fmt::format("one client, {} an append", events))) return lines;
      add(lines, one_client(peers, events, seconds));
    }
    if (!go_on("64 clients")) return lines;
    add(lines, many_clients(peers, asked.quick ? 1 : 5));
  }
  if (!go_on("many processes")) return lines;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  lines.push_back(many_processes(directory, self, asked.quick ? 1 : 5, file_rate(lines)));
  if (!go_on("scans beside RocksDB's iterator")) return lines;
  add(lines, measure_scans(directory, asked.quick ? 100'000 : 400'000));
  if (asked.pievt.empty() || !go_on("a large store")) return lines;
  add(lines, measure_large_store(directory, asked.pievt, asked.events));
  return lines;
}

void print(const measure::Report& report) {
  render::Terminal terminal;
  render::Table table({{.title = "WORK"},
                       {.title = "DURABILITY"},
                       {.title = "EVENTS/S", .align = Align::right},
                       {.title = "P50", .align = Align::right},
                       {.title = "P95", .align = Align::right},
                       {.title = "P99", .align = Align::right},
                       {.title = "P99.9", .align = Align::right},
                       {.title = "RATIO", .align = Align::right}});
  const auto time = [](const Line& line, double measure::Percentiles::*which) {
    return line.latency ? measure::time_text(*line.latency.*which) : "";
  };
  for (const Line& line : report.lines) {
    if (!line.skipped.empty()) {
      table.row({line.work, "skipped: " + line.skipped});
      continue;
    }
    table.row({line.work, line.durability,
               line.events_per_s > 0 ? measure::rate_text(line.events_per_s) : "",
               time(line, &measure::Percentiles::p50_us), time(line, &measure::Percentiles::p95_us),
               time(line, &measure::Percentiles::p99_us),
               time(line, &measure::Percentiles::p999_us),
               line.beside ? fmt::format("{:.2f}", line.beside->ratio) : ""});
  }
  std::cout << table.render(terminal)
            << "\nRATIO: against write + fdatasync of the same bytes in the same run; 1 is as "
               "fast.\n";
}

int run(const Asked& asked) {
  const measure::HeldSignals held;
  const Result<measure::ScratchDirectory> scratch =
      measure::ScratchDirectory::make(std::filesystem::absolute(asked.directory));
  if (!scratch.ok()) {
    say(scratch.error().what);
    return 3;
  }
  measure::Report report{fmt::format("pievt {}", tools::program_version()),
                         tools::build_type(),
                         measure::this_machine(scratch->path()),
                         {}};
  report.lines = measure_all(asked, scratch->path());
  if (measure::HeldSignals::waiting()) return 130;
  print(report);
  if (asked.json.empty()) return 0;
  std::FILE* const file = std::fopen(asked.json.c_str(), "w");
  if (file == nullptr) {
    say(fmt::format("cannot write {}: {}", asked.json.string(), std::strerror(errno)));
    return 3;
  }
  render::StringWriter text;
  render::JsonWriter json(text, render::JsonWriter::Layout::indented);
  measure::write_json(json, report, "pievt.peers");
  std::fputs(text.text().c_str(), file);
  return std::fclose(file) == 0 ? 0 : 3;
}

}  // namespace
}  // namespace pievt::bench

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--writer")
    return pievt::bench::be_a_writer(argv[2], std::strtod(argv[3], nullptr));
  const auto asked = pievt::bench::parse(argc, argv);
  if (!asked) {
    std::fputs("peers_bench [--quick] [--dir DIR] [--json FILE] [--events N] [--pievt PROGRAM]\n",
               stderr);
    return 2;
  }
  return pievt::bench::run(*asked);
}
