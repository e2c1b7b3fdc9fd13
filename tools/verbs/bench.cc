// `pievt bench`: how fast this is here, on this machine and this disk, beside the least that the
// disk allows.
#include <array>

#include <fmt/format.h>

#include "supervisor/record/clock.h"
#include "tools/frame/context.h"
#include "tools/frame/versions.h"
#include "tools/measure/suite.h"
#include "tools/render/progress.h"
#include "tools/render/table.h"
#include "tools/render/text.h"

namespace pievt::tools::verbs {
namespace {

using measure::Line;
using render::Align;

constexpr std::array options_of_bench = {
    value("--dir", "DIR", "measure the disk that DIR is on; this directory when left out")
        .completing(Complete::directories),
    flag("--quick", "some seconds instead of a minute, and rougher numbers"),
    number("--events", "N", "events in the store that is read and opened; a million when left out"),
};

constexpr Manual manual_of_bench = {
    .details =
        "Makes a store of its own in a directory that is removed afterwards, also when "
        "interrupted. No other store is touched.\n\n"
        "Appends take turns with `write` and `fdatasync` of as many bytes into a plain file: "
        "that is the least a durable append can cost here, and the ratio says how near ours "
        "comes (1 is as fast). Disks change their speed from minute to minute, so compare "
        "ratios, and times only within one run. An event has 240 bytes. Rates of scans, folds "
        "and verify are of processor time. /tmp is often memory: --dir takes the disk that "
        "matters.",
    .options = options_of_bench,
    .examples = {{{"pievt bench --dir /var/lib", "the disk that stores will be on"},
                  {"pievt bench --quick -o json | jq '.lines[0]'", "for a script"}}},
};

constexpr std::uint64_t events_quick = 100'000;
constexpr std::uint64_t events_full = 1'000'000;
constexpr std::uint64_t events_min = 1'000;
constexpr std::uint64_t events_max = 100'000'000;

Result<measure::SuiteOptions> asked(const Context& context) {
  measure::SuiteOptions suite;
  const bool quick = context.arguments.has("--quick");
  suite.effort = quick ? measure::Effort::quick : measure::Effort::full;
  suite.events = context.arguments.number("--events").value_or(quick ? events_quick : events_full);
  if (suite.events < events_min || suite.events > events_max) {
    return Error{Errc::invalid,
                 fmt::format("--events {}: a store of {} to {} events can be measured",
                             suite.events, events_min, events_max)};
  }
  return suite;
}

std::string percentile(const std::optional<measure::Percentiles>& latency,
                       double measure::Percentiles::*which) {
  return latency ? measure::time_text(*latency.*which) : "";
}

void add_row(render::Table& table, const Line& line) {
  const auto& beside = line.beside;
  const std::string rate = line.bytes_per_event    ? fmt::format("{:.0f} B", *line.bytes_per_event)
                           : line.events_per_s > 0 ? measure::rate_text(line.events_per_s)
                                                   : "";
  table.row({line.work, line.durability, rate,
             percentile(line.latency, &measure::Percentiles::p50_us),
             percentile(line.latency, &measure::Percentiles::p95_us),
             percentile(line.latency, &measure::Percentiles::p99_us),
             percentile(line.latency, &measure::Percentiles::p999_us),
             beside ? measure::time_text(beside->latency.p50_us) : "",
             beside ? fmt::format("{:.2f}", beside->ratio) : ""});
}

void write_text(const Context& context, const measure::Report& report) {
  const measure::Machine& machine = report.machine;
  context.out.print(
      "{}, {}\n{}, {}, {} of memory, {}, load {:.1f}\n{}\n\n", report.program, report.build,
      machine.processor, render::plural(machine.processors, "processor"),
      render::bytes_text(machine.memory_bytes), machine.kernel, machine.load, machine.file_system);
  render::Table table({{.title = "WORK"},
                       {.title = "THEN", .narrow = render::Narrow::drop},
                       {.title = "EVENTS/S", .align = Align::right},
                       {.title = "P50", .align = Align::right},
                       {.title = "P95", .align = Align::right, .narrow = render::Narrow::drop},
                       {.title = "P99", .align = Align::right},
                       {.title = "P99.9", .align = Align::right, .narrow = render::Narrow::drop},
                       {.title = "FILE", .align = Align::right},
                       {.title = "RATIO", .align = Align::right}});
  for (const Line& line : report.lines) add_row(table, line);
  context.out.write(table.render(context.terminal));
  context.out.line(
      "\nFILE: the same bytes into a plain file, `write` and (on the disk) `fdatasync`, in turns; "
      "RATIO: 1 is as fast as that. B: bytes an event on the disk.");
}

}  // namespace

const Manual& bench_manual() {
  return manual_of_bench;
}

Result<Exit> bench(Context& context) {
  measure::SuiteOptions suite = PIEVT_TRY(asked(context));
  const measure::HeldSignals held;
  const std::filesystem::path parent = context.arguments.text_or("--dir", ".");
  const auto scratch = PIEVT_TRY(measure::ScratchDirectory::make(parent));
  suite.directory = scratch.path();
  const auto now = [] { return static_cast<std::int64_t>(supervisor::boot_now_ns()); };
  std::uint64_t steps = 0;
  render::Progress progress(context.talk.writer(), context.talk.terminal(), "measuring", now());
  suite.next = [&](std::string_view what) {
    context.talk.detail(what);
    if (context.globals.loudness != Loudness::quiet) progress.at(++steps, now());
    return !measure::HeldSignals::waiting();
  };
  measure::Report report{fmt::format("pievt {}", program_version()),
                         build_type(),
                         measure::this_machine(scratch.path()),
                         {}};
  report.lines = PIEVT_TRY(measure::measure_appends(suite));
  const std::vector<Line> reads = PIEVT_TRY(measure::measure_reads(suite));
  report.lines.insert(report.lines.end(), reads.begin(), reads.end());
  progress.finish();
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    measure::write_json(json, report, "pievt.bench");
  } else {
    write_text(context, report);
  }
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
