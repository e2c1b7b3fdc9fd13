// How fast pi's stream is understood, on the streams that decide it:
//   - the cumulative dialect (0.73): a 64 KiB answer in 16-character deltas, 273 MB of updates;
//   - the delta dialect (1.x): many short lines;
//   - finished messages only: everything is parsed, nothing can be passed over;
//   - one agent_end of many MiB.
// The streams are synthesised line by line in the shape of recorded ones. `held_kb` is the most
// that was held of an unfinished line, `rss_growth_mb` how much the process grew while it read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/resource.h>

#include <benchmark/benchmark.h>

#include "supervisor/pi/stream.h"

namespace {

using namespace std::string_view_literals;
using pievt::pi::Observation;
using pievt::pi::ObservationSink;
using pievt::pi::Stream;

constexpr std::size_t answer_size = std::size_t{64} << 10;
constexpr std::size_t delta_size = 16;

constexpr std::string_view session_line =
    R"({"type":"session","version":3,"id":"01a1f8db-8064-749d-8d4a-ae692a039846",)"
    R"("timestamp":"2026-11-20T12:08:17.252Z","cwd":"/srv/project"})"
    "\n"
    R"({"type":"agent_start"})"
    "\n"
    R"({"type":"turn_start"})"
    "\n"sv;

constexpr std::string_view cumulative_rest =
    R"("}],"api":"openai-completions","provider":"stub","model":"text","usage":{"input":0,)"
    R"("output":0,"cacheRead":0,"cacheWrite":0,"totalTokens":0,"cost":{"input":0,"output":0,)"
    R"("cacheRead":0,"cacheWrite":0,"total":0}},"stopReason":"stop","timestamp":1795176497309,)"
    R"("responseId":"chatcmpl-stub-95"})"sv;

constexpr std::string_view finished_rest =
    R"("}],"api":"openai-completions","provider":"stub","model":"text","usage":{"input":622,)"
    R"("output":1024,"cacheRead":0,"cacheWrite":0,"totalTokens":1646,)"
    R"("cost":{"input":0.0006219999999999999,"output":0.002048,"cacheRead":0,"cacheWrite":0,)"
    R"("total":0.0026699999999999996}},"stopReason":"stop","timestamp":1795176497309,)"
    R"("responseId":"chatcmpl-stub-95"})"sv;

constexpr std::string_view delta_update =
    R"({"type":"message_update","usage":{"input":569,"output":15,"cacheRead":0,"cacheWrite":0,)"
    R"("reasoning":0,"totalTokens":584,"cost":{"input":0.000569,)"
    R"("output":0.000029999999999999997,"cacheRead":0,"cacheWrite":0,)"
    R"("total":0.0005989999999999999,"totalFromProvider":false}},)"
    R"("assistantMessageEvent":{"type":"text_delta","contentIndex":0,)"
    R"("delta":"consectetur adip"}})"
    "\n"sv;

std::string answer_text(std::size_t size) {
  constexpr std::string_view words =
      "lorem ipsum dolor sit amet consectetur adipiscing elit sed do ";
  std::string text;
  while (text.size() < size) text.append(words);
  text.resize(size);
  return text;
}

void append_all(std::string& stream, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) stream.append(part);
}

void append_end(std::string& stream, std::string_view answer) {
  constexpr std::string_view begin = R"({"role":"assistant","content":[{"type":"text","text":")";
  append_all(stream, {R"({"type":"message_end","message":)", begin, answer, finished_rest, "}\n",
                      R"({"type":"turn_end","message":)", begin, answer, finished_rest,
                      R"(,"toolResults":[]})", "\n", R"({"type":"agent_end","messages":[)", begin,
                      answer, finished_rest, "]}\n"});
}

const std::string& cumulative_stream() {
  static const std::string stream = [] {
    const std::string answer = answer_text(answer_size);
    const std::string_view text = answer;
    std::string bytes;
    bytes.reserve(std::size_t{290} << 20);
    bytes.append(session_line);
    for (std::size_t size = delta_size; size <= answer_size; size += delta_size) {
      constexpr std::string_view partial =
          R"({"role":"assistant","content":[{"type":"text","text":")";
      append_all(bytes,
                 {R"({"type":"message_update","assistantMessageEvent":{"type":"text_delta",)",
                  R"("contentIndex":0,"delta":")", text.substr(size - delta_size, delta_size),
                  R"(","partial":)", partial, text.substr(0, size), cumulative_rest,
                  R"(},"message":)", partial, text.substr(0, size), cumulative_rest, "}\n"});
    }
    append_end(bytes, text);
    return bytes;
  }();
  return stream;
}

const std::string& delta_stream() {
  static const std::string stream = [] {
    std::string bytes{session_line};
    while (bytes.size() < (std::size_t{64} << 20)) bytes.append(delta_update);
    append_end(bytes, answer_text(answer_size));
    return bytes;
  }();
  return stream;
}

const std::string& finished_messages() {
  static const std::string stream = [] {
    std::string bytes{session_line};
    const std::string answer = answer_text(2048);
    while (bytes.size() < (std::size_t{64} << 20)) append_end(bytes, answer);
    return bytes;
  }();
  return stream;
}

const std::string& one_agent_end() {
  static const std::string stream = [] {
    std::string bytes{R"({"type":"agent_end","messages":[)"};
    const std::string answer = answer_text(8192);
    while (bytes.size() < (std::size_t{12} << 20)) {
      append_all(bytes, {R"({"role":"assistant","content":[{"type":"text","text":")", answer,
                         finished_rest, ","});
    }
    bytes.append("{}],\"willRetry\":false}\n");
    return bytes;
  }();
  return stream;
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void read_stream(benchmark::State& state, const std::string& bytes) {
  const auto chunk_size = static_cast<std::size_t>(state.range(0));
  const double rss_before = peak_rss_mb();
  std::size_t held = 0;
  std::uint64_t observations = 0;
  for (auto _ : state) {
    Stream stream;
    const ObservationSink sink = [&observations](Observation&& observation) {
      benchmark::DoNotOptimize(&observation);
      observations += 1;
    };
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::string_view chunk = rest.substr(0, chunk_size);
      stream.feed(chunk, sink);
      held = std::max(held, stream.held_size());
      rest.remove_prefix(chunk.size());
    }
    stream.finish(sink);
  }
  if (observations == 0) state.SkipWithError("the stream said nothing");
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()) *
                          static_cast<std::int64_t>(state.iterations()));
  state.counters["stream_mb"] = static_cast<double>(bytes.size()) / 1e6;
  state.counters["held_kb"] = static_cast<double>(held) / 1024.0;
  state.counters["rss_growth_mb"] = peak_rss_mb() - rss_before;
}

void BM_Cumulative(benchmark::State& state) {
  read_stream(state, cumulative_stream());
}
void BM_Delta(benchmark::State& state) {
  read_stream(state, delta_stream());
}
void BM_FinishedMessages(benchmark::State& state) {
  read_stream(state, finished_messages());
}
void BM_OneAgentEnd(benchmark::State& state) {
  read_stream(state, one_agent_end());
}

BENCHMARK(BM_Cumulative)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Delta)->Arg(4 << 10)->Arg(64 << 10)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FinishedMessages)->Arg(64 << 10)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_OneAgentEnd)->Arg(64 << 10)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
