#include "bench/frame/results.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <optional>

#include <fmt/format.h>

#include "tools/frame/versions.h"
#include "tools/render/table.h"
#include "tools/render/writer.h"

namespace pievt::bench {
namespace {

using measure::Line;
using render::Align;

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

Status write_document(const std::filesystem::path& path, const measure::Report& report,
                      std::string_view schema) {
  render::StringWriter text;
  render::JsonWriter json(text, render::JsonWriter::Layout::indented);
  measure::write_json(json, report, schema);
  std::FILE* const file = std::fopen(path.c_str(), "w");
  const bool written = file != nullptr && std::fputs(text.text().c_str(), file) >= 0;
  if (file != nullptr && std::fclose(file) == 0 && written) return {};
  return Error{Errc::io, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno))};
}

}  // namespace

std::optional<Asked> read_command_line(std::string_view name, int argc, char** argv) {
  std::optional<Asked> asked = parse(argc, argv);
  if (!asked) {
    std::cerr << name << " [--quick] [--dir DIR] [--json FILE] [--events N] [--pievt PROGRAM]\n";
  }
  return asked;
}

int run_bench(std::string_view name, std::string_view schema, const Asked& asked,
              const std::function<std::vector<Line>(const std::filesystem::path&)>& measure) {
  const measure::HeldSignals held;
  const Result<measure::ScratchDirectory> scratch =
      measure::ScratchDirectory::make(std::filesystem::absolute(asked.directory));
  if (!scratch.ok()) {
    std::cerr << name << ": " << scratch.error().what << '\n';
    return 3;
  }
  measure::Report report{fmt::format("pievt {}", tools::program_version()),
                         tools::build_type(),
                         measure::this_machine(scratch->path()),
                         {}};
  report.lines = measure(scratch->path());
  if (measure::HeldSignals::waiting()) return 130;
  print(report);
  if (asked.json.empty()) return 0;
  const Status written = write_document(asked.json, report, schema);
  if (written.ok()) return 0;
  std::cerr << name << ": " << written.error().what << '\n';
  return 3;
}

bool go_on(std::string_view name, std::string_view what) {
  std::cerr << name << ": " << what << '\n';
  return !measure::HeldSignals::waiting();
}

}  // namespace pievt::bench
