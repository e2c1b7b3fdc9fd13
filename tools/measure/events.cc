#include "tools/measure/events.h"

#include <algorithm>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include "store/format/hash.h"

namespace pievt::measure {
namespace {

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
constexpr std::uint64_t beginning_events = 2 + 3 * job_count;

NewEvent beginning_event(std::uint64_t index) {
  if (index == 0) {
    schema::RunPlannedT planned;
    planned.run_id = "bench";
    planned.kind = schema::RunKind::batch;
    planned.name = "bench";
    planned.job_count = job_count;
    return {std::move(planned)};
  }
  if (index == 1) return {schema::RunStartedT{}};
  const auto job = static_cast<std::uint32_t>(1 + (index - 2) / 3);
  if (index % 3 == 2) {
    schema::JobDeclaredT declared;
    declared.id = fmt::format("job-{}", job);
    declared.model = "anthropic/claude-opus-4";
    return {std::move(declared), {.job = job}};
  }
  if (index % 3 == 0) {
    schema::AttemptLaunchRequestedT request;
    request.model = "anthropic/claude-opus-4";
    return {std::move(request), {.job = job, .attempt = 1}};
  }
  return {schema::AttemptLaunchedT{}, {.job = job, .attempt = 1}};
}

}  // namespace

NewEvent sized_event(std::uint64_t number) {
  schema::ToolCallFinishedT event;
  event.tool = "bash";
  event.result = std::make_unique<schema::BlobRef>(blob_ref(number));
  event.exit_code = 1 + static_cast<std::int32_t>(number % 3);
  event.call = 1 + static_cast<std::uint32_t>(number % 1'000'000);
  return {std::move(event),
          {.job = 1 + static_cast<std::uint32_t>(number % job_count), .attempt = 1}};
}

std::vector<StreamEvents> one_append(std::size_t count, std::uint64_t first) {
  StreamEvents stream{"run/bench", Expected::any(), {}};
  stream.events.reserve(count);
  for (std::size_t i = 0; i < count; ++i) stream.events.push_back(sized_event(first + i));
  std::vector<StreamEvents> all;
  all.push_back(std::move(stream));
  return all;
}

std::string peer_bytes(std::size_t size) {
  std::string bytes;
  for (std::uint64_t i = 0, x = 88172645463325252u; i < size; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    bytes.push_back(static_cast<char>(i % 2 == 0 ? x : 0));
  }
  return bytes;
}

NewEvent run_event(std::uint64_t index) {
  if (index < beginning_events) return beginning_event(index);
  const std::uint64_t number = index - beginning_events;
  const std::uint64_t turn = number / 8;
  NewEvent event = number % 8 == 0                     ? turn_ended(turn)
                   : number % 8 == 1                   ? usage_recorded(number)
                   : number % 8 == 7 && turn % 10 == 9 ? message_observed(number)
                   : number % 2 == 0                   ? tool_started(number)
                                                       : sized_event(number);
  event.subject = {.job = 1 + static_cast<std::uint32_t>(turn % job_count), .attempt = 1};
  event.cause = {{index}, {1}};
  return event;
}

Status write_run(const std::filesystem::path& store, std::uint64_t events, std::size_t per_commit) {
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::create}));
  for (std::uint64_t at = 0; at < events; at += per_commit) {
    std::vector<NewEvent> part;
    for (std::uint64_t i = at; i < std::min<std::uint64_t>(at + per_commit, events); ++i)
      part.push_back(run_event(i));
    PIEVT_TRY(log.append("run/bench", Expected::any(), std::move(part),
                         {.id = {}, .durability = Durability::memory}));
  }
  return log.close();
}

}  // namespace pievt::measure
