#include "tools/measure/report.h"

#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace pievt::measure {
namespace {

using render::JsonWriter;

// More digits than a measurement has would only make two runs look more different than they are.
double rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double scale = std::pow(10, 3 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

void write(JsonWriter& json, std::string_view key, const Percentiles& latency) {
  json.key(key)
      .begin_object()
      .member("p50", rounded(latency.p50_us))
      .member("p95", rounded(latency.p95_us))
      .member("p99", rounded(latency.p99_us))
      .member("p999", rounded(latency.p999_us))
      .end_object();
}

void write(JsonWriter& json, const Line& line) {
  json.begin_object().member("name", line.name).member("work", line.work);
  if (!line.durability.empty()) json.member("durability", line.durability);
  if (!line.skipped.empty()) {
    json.member("skipped", line.skipped).end_object();
    return;
  }
  json.member("operations", line.operations);
  if (line.events_per_s > 0) json.member("events_per_s", rounded(line.events_per_s));
  if (line.latency) write(json, "latency_us", *line.latency);
  if (line.bytes_per_event) json.member("bytes_per_event", rounded(*line.bytes_per_event));
  if (line.resident_bytes > 0) json.member("resident_bytes", line.resident_bytes);
  if (line.beside) {
    json.key("beside").begin_object().member("what", line.beside->what);
    if (line.beside->latency.p50_us > 0) write(json, "latency_us", line.beside->latency);
    json.member("ratio", rounded(line.beside->ratio)).end_object();
  }
  json.end_object();
}

// Three digits, whatever the size.
std::string three_digits(double value) {
  return value < 9.995   ? fmt::format("{:.2f}", value)
         : value < 99.95 ? fmt::format("{:.1f}", value)
                         : fmt::format("{:.0f}", value);
}

}  // namespace

void write_json(JsonWriter& json, const Report& report, std::string_view schema) {
  json.begin_document(schema, 1)
      .member("program", report.program)
      .member("build", report.build)
      .key("machine")
      .begin_object()
      .member("processor", report.machine.processor)
      .member("processors", report.machine.processors)
      .member("memory_bytes", report.machine.memory_bytes)
      .member("kernel", report.machine.kernel)
      .member("file_system", report.machine.file_system)
      .member("load", report.machine.load)
      .end_object()
      .key("lines")
      .begin_array();
  for (const Line& line : report.lines) write(json, line);
  json.end_array().end_object().end_document();
}

std::string rate_text(double events_per_s) {
  if (events_per_s >= 999'500) return three_digits(events_per_s / 1e6) + " M";
  if (events_per_s >= 999.5) return three_digits(events_per_s / 1e3) + " k";
  return three_digits(events_per_s);
}

std::string time_text(double us) {
  if (us >= 999'500) return three_digits(us / 1e6) + " s";
  if (us >= 999.5) return three_digits(us / 1e3) + " ms";
  return three_digits(us) + " us";
}

}  // namespace pievt::measure
