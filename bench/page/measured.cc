#include "bench/page/measured.h"

#include <algorithm>

#include <simdjson.h>

#include <fmt/format.h>

namespace pievt::bench {
namespace {

using simdjson::dom::element;

std::string text(const element& object, std::string_view key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

double number(const element& object, std::string_view key) {
  double value = 0;
  return object[key].get(value) == simdjson::SUCCESS ? value : 0;
}

Measured measured(const element& line) {
  Measured result;
  result.name = text(line, "name");
  result.work = text(line, "work");
  result.durability = text(line, "durability");
  result.skipped = text(line, "skipped");
  result.events_per_s = number(line, "events_per_s");
  result.bytes_per_event = number(line, "bytes_per_event");
  result.resident_bytes = number(line, "resident_bytes");
  element part;
  if (line["latency_us"].get(part) == simdjson::SUCCESS) {
    result.p50_us = number(part, "p50");
    result.p95_us = number(part, "p95");
    result.p99_us = number(part, "p99");
    result.p999_us = number(part, "p999");
  }
  if (line["beside"].get(part) == simdjson::SUCCESS) {
    result.ratio = number(part, "ratio");
    element latency;
    if (part["latency_us"].get(latency) == simdjson::SUCCESS)
      result.beside_p50_us = number(latency, "p50");
  }
  return result;
}

}  // namespace

const Measured* Document::find(std::string_view name) const {
  const auto line = std::ranges::find(lines, name, &Measured::name);
  return line == lines.end() || !line->skipped.empty() ? nullptr : &*line;
}

Result<Document> read_document(const std::filesystem::path& path) {
  simdjson::dom::parser parser;
  element root, machine;
  simdjson::dom::array lines;
  if (parser.load(path.string()).get(root) != simdjson::SUCCESS ||
      root["machine"].get(machine) != simdjson::SUCCESS ||
      root["lines"].get(lines) != simdjson::SUCCESS) {
    return Error{Errc::invalid, fmt::format("{} is not what a bench has written", path.string())};
  }
  Document document;
  document.program = text(root, "program");
  document.build = text(root, "build");
  document.processor = text(machine, "processor");
  document.kernel = text(machine, "kernel");
  document.file_system = text(machine, "file_system");
  document.processors = static_cast<std::uint64_t>(number(machine, "processors"));
  document.memory_bytes = static_cast<std::uint64_t>(number(machine, "memory_bytes"));
  document.load = number(machine, "load");
  for (const element& line : lines) document.lines.push_back(measured(line));
  return document;
}

}  // namespace pievt::bench
