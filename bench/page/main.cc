// Puts the numbers of a run of the benches into docs/performance.md, between its two markers; the
// prose around them is a person's.
//
//   performance_page PAGE.md BENCH.json PEERS.json AUDIT.json
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "bench/page/goals.h"
#include "bench/page/measured.h"
#include "tools/measure/report.h"

namespace pievt::bench {
namespace {

using measure::rate_text;
using measure::time_text;

constexpr std::string_view begin_marker = "<!-- numbers: made by `make bench` -->\n";
constexpr std::string_view end_marker = "<!-- end of numbers -->\n";

std::string time_or_nothing(double us) {
  return us > 0 ? time_text(us) : "";
}

std::string machine_text(const Document& document) {
  return fmt::format(
      "{}, built as {}, on {}, {} processors, {:.0f} GiB of memory, {}, {}; load at the start "
      "{:.1f}.\n\n",
      document.program, document.build, document.processor, document.processors,
      static_cast<double>(document.memory_bytes) / (1u << 30), document.kernel,
      document.file_system, document.load);
}

std::string goals_text(const Documents& all) {
  std::string text = "### Goals\n\n| work | goal | measured | |\n|---|---|---|---|\n";
  for (const GoalResult& goal : judge(all)) {
    const std::string_view verdict = goal.verdict == GoalResult::Verdict::reached  ? "reached"
                                     : goal.verdict == GoalResult::Verdict::missed ? "**missed**"
                                                                                   : "not measured";
    text += fmt::format("| {} | {} | {} | {}{}{} |\n", goal.work, goal.goal, goal.measured, verdict,
                        goal.why.empty() ? "" : ": ", goal.why);
  }
  return text + "\n";
}

// One row a peer, of one shape of work.
std::string peers_text(const Document& peers, std::string_view shape, std::string_view title) {
  std::string text = fmt::format(
      "### {}\n\n| | durable | events/s | p50 | p95 | p99 | p99.9 | ratio |\n"
      "|---|---|--:|--:|--:|--:|--:|--:|\n",
      title);
  for (const Measured& line : peers.lines) {
    if (!line.name.starts_with(fmt::format("peers.{}.", shape))) continue;
    const std::string name = line.work.substr(0, line.work.find(':'));
    if (!line.skipped.empty()) {
      text += fmt::format("| {} | skipped: {} | | | | | | |\n", name, line.skipped);
      continue;
    }
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", name, line.durability,
                        rate_text(line.events_per_s), time_text(line.p50_us),
                        time_text(line.p95_us), time_text(line.p99_us), time_text(line.p999_us),
                        line.ratio > 0 ? fmt::format("{:.2f}", line.ratio) : "");
  }
  return text + "\n";
}

std::string lines_text(const Document& document, std::string_view title,
                       const std::set<std::string, std::less<>>& left_out) {
  std::string text = fmt::format(
      "### {}\n\n| | then | events/s | p50 | p95 | p99 | p99.9 | beside, p50 | ratio |\n"
      "|---|---|--:|--:|--:|--:|--:|--:|--:|\n",
      title);
  for (const Measured& line : document.lines) {
    if (left_out.contains(line.name.substr(0, line.name.find('.')))) continue;
    if (!line.skipped.empty()) {
      text += fmt::format("| {} | skipped: {} | | | | | | | |\n", line.work, line.skipped);
      continue;
    }
    const std::string rate = line.bytes_per_event > 0
                                 ? fmt::format("{:.0f} bytes", line.bytes_per_event)
                             : line.events_per_s > 0 ? rate_text(line.events_per_s)
                                                     : "";
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", line.work,
                        line.durability, rate, time_or_nothing(line.p50_us),
                        time_or_nothing(line.p95_us), time_or_nothing(line.p99_us),
                        time_or_nothing(line.p999_us), time_or_nothing(line.beside_p50_us),
                        line.ratio > 0 ? fmt::format("{:.2f}", line.ratio) : "");
  }
  return text + "\n";
}

std::string numbers(const Documents& all) {
  return machine_text(all.peers) + goals_text(all) +
         peers_text(all.peers, "1x1", "One client, one event an append") +
         peers_text(all.peers, "64x1", "64 clients, one event an append") +
         peers_text(all.peers, "1x100", "One client, 100 events an append") +
         peers_text(all.peers, "1x1000", "One client, 1,000 events an append") +
         lines_text(all.peers, "Scans beside RocksDB's iterator, many processes, a large store",
                    {"peers"}) +
         lines_text(all.audit, "What an auditor waits for", {}) +
         lines_text(all.own, "`pievt bench`", {});
}

Status write_page(const std::filesystem::path& page, const std::string& between) {
  std::ifstream in(page);
  const std::string old{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::size_t begin = old.find(begin_marker), end = old.find(end_marker);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    return Error{Errc::invalid,
                 fmt::format("{} lacks the markers between which numbers stand", page.string())};
  }
  std::ofstream out(page);
  out << old.substr(0, begin + begin_marker.size()) << '\n' << between << old.substr(end);
  out.flush();
  if (out) return {};
  return Error{Errc::io, fmt::format("cannot write {}", page.string())};
}

Status run(char** argv) {
  Documents all;
  all.own = PIEVT_TRY(read_document(argv[2]));
  all.peers = PIEVT_TRY(read_document(argv[3]));
  all.audit = PIEVT_TRY(read_document(argv[4]));
  return write_page(argv[1], numbers(all));
}

}  // namespace
}  // namespace pievt::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("performance_page PAGE.md BENCH.json PEERS.json AUDIT.json\n", stderr);
    return 2;
  }
  const pievt::Status done = pievt::bench::run(argv);
  if (done.ok()) return 0;
  fmt::print(stderr, "performance_page: {}\n", done.error().what);
  return 1;
}
