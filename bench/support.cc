#include "bench/support.h"

#include <cstdlib>
#include <cstring>
#include <fstream>

#include <unistd.h>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "pievt/version.h"
#include "store/format/codec.h"
#include "store/format/page.h"

namespace pievt::bench {
namespace {

std::filesystem::path bench_root() {
  const char* named = std::getenv("PIEVT_BENCH_DIR");
  return named != nullptr && *named != '\0' ? std::filesystem::path(named)
                                            : std::filesystem::current_path();
}

// Digests cannot be compressed, and a benchmark whose events could be would flatter every number.
schema::BlobRef blob_ref(std::uint64_t number) {
  const Digest digest = sha256(std::as_bytes(std::span(&number, 1)));
  schema::Digest bytes;
  std::memcpy(&bytes, digest.data(), sizeof(bytes));
  return schema::BlobRef(bytes, 1000 + number % 9000, 0, schema::BlobKind::text, 0);
}

NewEvent tool_started(std::uint64_t number) {
  schema::ToolCallStartedT event;
  event.call_id = fmt::format("call_{:08x}", number * 2654435761u & 0xffffffffu);
  event.tool = number % 3 == 0 ? "bash" : "read";
  event.arguments = std::make_unique<schema::BlobRef>(blob_ref(number));
  event.subject = fmt::format("src/part{}/file{}.cc", number % 17, number % 101);
  event.call = static_cast<std::uint32_t>(number);
  return {std::move(event)};
}

NewEvent usage_recorded(std::uint64_t number) {
  schema::UsageRecordedT event;
  event.provider = "anthropic";
  event.model = "claude-opus-4";
  event.stop_reason = "toolUse";
  event.reported = schema::Reported::reported;
  event.usage = std::make_unique<schema::UsageT>();
  event.usage->input_tokens = 500 + number % 4000;
  event.usage->output_tokens = number % 900;
  event.usage->cache_read_tokens = 10'000 + number % 60'000;
  event.usage->total_tokens = event.usage->input_tokens + event.usage->output_tokens;
  event.usage->cost_nanodollars = static_cast<std::int64_t>(number % 1000) * 12'345;
  return {std::move(event)};
}

NewEvent turn_ended(std::uint64_t number) {
  schema::TurnEndedT event;
  event.turn = static_cast<std::uint32_t>(number);
  event.tool_calls = 2;
  event.agent_run = 1;
  return {std::move(event)};
}

NewEvent message_observed(std::uint64_t number) {
  schema::FinalMessageObservedT event;
  event.text = std::make_unique<schema::BlobRef>(blob_ref(number));
  event.stop_reason = "stop";
  event.excerpt =
      fmt::format("Done with chapter {}: two errors found and both corrected.", number % 40);
  event.text_bytes = 2000;
  event.text_parts = 1;
  return {std::move(event)};
}

constexpr std::uint32_t job_count = 100;

void begin_run(std::vector<NewEvent>& events) {
  schema::RunPlannedT planned;
  planned.run_id = "bench";
  planned.kind = schema::RunKind::batch;
  planned.name = "bench";
  planned.job_count = job_count;
  events.push_back({std::move(planned)});
  events.push_back({schema::RunStartedT{}});
  for (std::uint32_t job = 1; job <= job_count; ++job) {
    schema::JobDeclaredT declared;
    declared.id = fmt::format("job-{}", job);
    declared.model = "anthropic/claude-opus-4";
    events.push_back({std::move(declared), {.job = job}});
    schema::AttemptLaunchRequestedT request;
    request.model = "anthropic/claude-opus-4";
    events.push_back({std::move(request), {.job = job, .attempt = 1}});
    events.push_back({schema::AttemptLaunchedT{}, {.job = job, .attempt = 1}});
  }
}

}  // namespace

BenchDirectory::BenchDirectory() : path_((bench_root() / "pievt-bench-XXXXXX").string()) {
  std::string name = path_.string();
  PIEVT_ASSERT(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

BenchDirectory::~BenchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

NewEvent sized_event(std::uint64_t number) {
  schema::ToolCallFinishedT event;
  event.tool = "bash";
  event.result = std::make_unique<schema::BlobRef>(blob_ref(number));
  event.exit_code = 1 + static_cast<std::int32_t>(number % 3);
  event.call = 1 + static_cast<std::uint32_t>(number % 1'000'000);
  return {std::move(event),
          {.job = 1 + static_cast<std::uint32_t>(number % job_count), .attempt = 1}};
}

std::vector<NewEvent> run_events(std::size_t count) {
  std::vector<NewEvent> events;
  events.reserve(count);
  begin_run(events);
  for (std::uint64_t number = 0; events.size() < count; ++number) {
    const auto turn = number / 8;
    NewEvent event = number % 8 == 0                     ? turn_ended(turn)
                     : number % 8 == 1                   ? usage_recorded(number)
                     : number % 8 == 7 && turn % 10 == 9 ? message_observed(number)
                     : number % 2 == 0                   ? tool_started(number)
                                                         : sized_event(number);
    event.subject = {.job = 1 + static_cast<std::uint32_t>(turn % job_count), .attempt = 1};
    event.cause = {{events.size()}, {1}};
    events.push_back(std::move(event));
  }
  events.resize(count);
  return events;
}

void write_run(const std::filesystem::path& store, std::size_t count, std::size_t per_commit) {
  Log log = must(Log::open(store, {.mode = OpenMode::create}));
  std::vector<NewEvent> events = run_events(count);
  for (std::size_t at = 0; at < events.size(); at += per_commit) {
    const auto first = events.begin() + static_cast<std::ptrdiff_t>(at);
    const auto last =
        events.begin() + static_cast<std::ptrdiff_t>(std::min(at + per_commit, events.size()));
    std::vector<NewEvent> part(std::make_move_iterator(first), std::make_move_iterator(last));
    must(log.append("run/bench", Expected::any(), std::move(part),
                    {.id = {}, .durability = Durability::memory}));
  }
  must(log.close());
}

void describe_machine() {
  std::vector<std::byte> body;
  format::BodyEncoder().append(sized_event(1), body);
  PIEVT_ASSERT(sizeof(schema::Stamp) + body.size() == event_bytes);
#ifdef NDEBUG
  constexpr const char* assertions = "off";
#else
  constexpr const char* assertions = "on";
#endif
  benchmark::AddCustomContext(
      "pievt",
      fmt::format("{}, built as {}, sanitizers: {}, assert() {}", version, PIEVT_BUILD_TYPE,
                  std::strlen(PIEVT_SANITIZERS) != 0 ? PIEVT_SANITIZERS : "none", assertions));
  std::string libraries;
  for (const std::string& library : store_library_versions())
    libraries += (libraries.empty() ? "" : ", ") + library;
  benchmark::AddCustomContext("libraries", libraries);
  benchmark::AddCustomContext(
      "note", "Debian's librocksdb is built with assertions on; it serves pievt and the peers");
  benchmark::AddCustomContext("directory", bench_root().string());
  std::ifstream processors("/proc/cpuinfo");
  for (std::string line; std::getline(processors, line);) {
    if (!line.starts_with("model name")) continue;
    benchmark::AddCustomContext("processor", line.substr(line.find(':') + 2));
    break;
  }
}

}  // namespace pievt::bench
