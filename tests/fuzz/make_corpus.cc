// Makes the inputs that nobody can write by hand: bodies, pages, messages, schemas, frames.
//
//   cmake --build --preset check --target fuzz_corpus        (into tests/fuzz/corpus)
//
// Every run makes the same bytes, so that a change here shows as a change there.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "store/format/codec.h"
#include "store/format/page.h"
#include "store/format/reflect_slim.h"
#include "store/format/schema_facts.h"
#include "store/format/wire.h"
#include "store/format/zstd_codec.h"
#include "store/log/owner.h"
#include "store/trust/sealed_events.h"
#include "store/trust/sealed_writer.h"
#include "supervisor/control/protocol.h"
#include "tests/store/format/built_page.h"
#include "tests/store/format/flatbuffer_maker.h"
#include "tests/store/format/zoo.h"

namespace {

using namespace pievt;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

fs::path corpus;

void write(const std::string& name, std::span<const std::byte> bytes) {
  fs::create_directories((corpus / name).parent_path());
  std::ofstream out(corpus / name, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) {
    fmt::print(stderr, "cannot write {}\n", (corpus / name).string());
    std::exit(1);
  }
}

void write(const std::string& name, std::string_view text) {
  write(name, std::as_bytes(std::span(text)));
}

AppendId numbered_id(std::uint8_t number) {
  return {{std::byte{1}, std::byte{0x8f}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0},
           std::byte{0x70}, std::byte{0}, std::byte{0x80}, std::byte{number}}};
}

schema::BlobRef a_ref() {
  std::array<std::uint8_t, 32> digest{};
  digest.fill(0x5a);
  return {schema::Digest(flatbuffers::span<const std::uint8_t, 32>(digest)), 1234, 0,
          schema::BlobKind::text, 0};
}

std::vector<NewEvent> some_events() {
  schema::RunPlannedT planned;
  planned.run_id = "20240601-aaa111";
  planned.name = "nightly";
  planned.plan = std::make_unique<schema::BlobRef>(a_ref());
  schema::JobDeclaredT job;
  job.id = "index";
  job.tools = {"read", "grep"};
  job.retry = std::make_unique<schema::RetryPolicyT>();
  job.retry->max_attempts = 3;
  job.retry->retry_on = {schema::FailureKind::provider_transient};
  auto file = std::make_unique<schema::ContextFileT>();
  file->path = "a.md";
  file->content = std::make_unique<schema::BlobRef>(a_ref());
  job.context.push_back(std::move(file));
  schema::AttemptExitedT exited;
  exited.exit_code = -1;
  exited.signal = 9;
  std::vector<NewEvent> events;
  events.push_back({std::move(planned)});
  events.push_back({std::move(job), {.job = 1}, {{1}, {1}}, 1'700'000'000'000'000'000});
  events.push_back({std::move(exited), {.job = 1, .attempt = 2}});
  return events;
}

void make_events() {
  int number = 0;
  for (const NewEvent& event : some_events()) {
    std::vector<std::byte> body;
    format::BodyEncoder().append(event, body);
    write(fmt::format("event/built-{}", ++number), body);
  }
  const auto& events = reflect::Schema::embedded_events();
  for (const int tag : {1, 14, 18, 26, 36, 41}) {
    std::mt19937_64 dice(static_cast<std::uint64_t>(tag));
    auto body = reflect::testing::random_body(events, static_cast<std::uint8_t>(tag), dice);
    write(fmt::format("event/random-{}", tag), body);
  }
}

void make_page() {
  std::vector<std::byte> bodies;
  format::SegmentPlan plan;
  std::uint64_t revision = 0;
  for (const NewEvent& event : some_events()) {
    const std::size_t size = format::BodyEncoder().append(event, bodies);
    plan.stamps.emplace_back(7u, 1u, ++revision, 1000u, 2000u, static_cast<std::uint32_t>(size),
                             0u);
  }
  const auto count = static_cast<std::uint32_t>(revision);
  plan.streams.push_back({7, count, Expected::any().code(), revision});
  plan.bodies = bodies;
  plan.header.append_id = numbered_id(1).bytes;
  plan.header.first_sequence = 41;
  plan.header.event_count = count;
  plan.header.stream_count = 1;
  plan.header.segment_bytes =
      static_cast<std::uint32_t>(format::segment_bytes(1, count, bodies.size()));
  plan.header.segment_count = 1;
  plan.header.durability = static_cast<std::uint32_t>(Durability::fsync);
  plan.header.body_hash = sha256(plan.bodies);
  format::SegmentPlan next = plan;
  next.header.append_id = numbered_id(2).bytes;
  next.header.first_sequence += count;
  format::PageHeader header{};
  header.first_sequence = 41;
  header.last_sequence = 40 + 2 * count;
  Digest chain{};
  format::SegmentPlan both[] = {plan, next};
  write("page/two-commits", format::build_page(header, both, chain));
  header.last_sequence = 40 + count;
  write("page/one-commit", format::build_page(header, std::span(both).first(1), chain));
  write("page/lost", format::build_lost_page(header));
}

void make_messages() {
  std::vector<StreamEvents> streams;
  streams.push_back({"run/a", Expected::exactly({7}), some_events()});
  streams.push_back({"guard", Expected::exists(), {}});
  streams.push_back({"run/b", Expected::no_stream(), some_events()});
  const auto append = EncodedAppend::encode(streams, {.id = numbered_id(3)}).value();
  const Appended appended{
      AppendOutcome::already_there, numbered_id(4), {5}, {9}, {{{1}, {2}}, {{0}, {4}}}};
  const std::pair<const char*, wire::Frame> frames[] = {
      {"hello", wire::frame_of(wire::Hello{wire::protocol, {std::byte{1}}, "program"})},
      {"welcome", wire::frame_of(wire::Welcome{3, 12})},
      {"append", wire::frame_of(append.impl())},
      {"put", wire::frame_of(wire::Put{13, wire::Shelf::projections, "key", "value"})},
      {"done", wire::frame_of(wire::Done{14, appended})},
      {"refused", wire::frame_of(wire::Refused{15, {Errc::conflict, "stream is at #3"}})}};
  // The fuzzer reads messages as they are behind the prefix of their frame.
  for (const auto& [name, frame] : frames) {
    write(fmt::format("wire/{}", name), std::span(frame).subspan(wire::prefix_bytes));
  }
}

void make_control() {
  using namespace control;  // NOLINT(google-build-using-namespace)
  Progress progress;
  progress.revision = 812;
  progress.phase = state::RunPhase::stopping;
  progress.reason = "signal INT";
  progress.active = {{"a", 2, "turn 3"}, {"b", 1, ""}};
  const std::pair<const char*, Message> messages[] = {
      {"hello", Hello{protocol, "r1", "pievt stop"}},
      {"welcome", Welcome{4711, "r1", "pievtd"}},
      {"stop", Request{7, Stop{schema::StopMode::now, "enough"}}},
      {"add", Request{8, AddJob{R"({"prompt":"x"})", "/tmp"}}},
      {"progress", progress},
      {"answer", Answer{8, Answer::Done{0, "", {progress}}}},
      {"refusal", Answer{9, Error{Errc::invalid_transition, "it has ended"}}},
      {"start", Start{}},
      {"started", Started{"r1", 4711}},
      {"refused", Refused{{Errc::busy, "run r1 is supervised"}}}};
  for (const auto& [name, message] : messages) {
    const wire::Frame frame = frame_of(message);
    write(fmt::format("control/{}", name), std::span(frame).subspan(wire::prefix_bytes));
  }
}

void make_schemas() {
  using namespace reflect::testing;  // NOLINT(google-build-using-namespace)
  const auto bfbs = compile(zoo_schema);
  const auto bodies = {
      body_from_json(zoo_schema, R"({name: "Ann", payload_type: "Slept", payload: {old: 9}})"),
      body_from_json(zoo_schema, R"({name: "Bo", payload_type: "Walked", payload: {zeal: 3,
          legs: [{name: "left", toes: [{length: 0.5}]}], names: ["x", ""], raw: [1, 2],
          flags: [true], big: [18446744073709551615]}})")};
  int number = 0;
  for (const auto& body : bodies) {
    std::vector<std::byte> padded = body;
    padded.resize(format::padded(body.size()));
    std::vector<std::byte> input = {static_cast<std::byte>(padded.size() / 8)};
    input.insert(input.end(), padded.begin(), padded.end());
    input.insert(input.end(), bfbs.begin(), bfbs.end());
    write(fmt::format("schema/zoo-{}", ++number), input);
  }
  write("lock/zoo", reflect::lock_text(reflect::lock_lines(load(bfbs))));
}

void make_owners() {
  const Owner writer{4711,       123456,      "2e0d0b5c-5a52-4a4b-9c3f-0f6a3f1f7a10",
                     4026531836, "pievt run", 1'699'999'000'000'000'000};
  write("owner/writer", to_record(writer));
  write("owner/unknown", to_record(Owner{}));
}

// A sealed run put together by hand, and the pieces behind its digests.
void make_sealed() {
  sealed::EventPacker packer;
  std::uint32_t revision = 0;
  for (const NewEvent& event : some_events()) {
    std::vector<std::byte> body;
    const std::size_t size = format::BodyEncoder().append(event, body);
    ++revision;
    const schema::Stamp stamp(0, 1, revision, 1000 + revision, 2000 + revision,
                              static_cast<std::uint32_t>(size), 0);
    packer.add({{40 + revision},
                &stamp,
                schema::GetEnvelope(body.data()),
                std::span(body).first(size),
                {numbered_id(1), revision - 1}});
  }
  const std::vector<std::byte> events = packer.take();
  write("sealed/events", events);
  write("sealed/schema", reflect::slim_schema(reflect::Schema::embedded_events(), {7, 14}));
  sealed::Directory directory;
  directory.pievt_version = "0.1.0";
  directory.run_id = "20240601-aaa111";
  directory.origin = "store 018f0000";
  directory.events = revision;
  directory.event_counts = {revision};
  directory.schemas = {{42, 7, {}}};
  directory.spans = {{1, 42}};
  directory.actors = {{1, 0, 412, "pievt run"}};
  directory.channels = {{1, 1, 1, 2, 0, {{0, 5, 3}}, {}}};
  const fs::path file = corpus / "sealed" / "file";
  auto writer = sealed::Writer::create(file, 19).value();
  const bool written = writer.add_frame(sealed::Section::events, events).ok() &&
                       writer.finish(directory).ok() && writer.publish(true).ok();
  if (!written) std::exit(1);
  directory.frames = {{sealed::Section::events, 100, 300, {}}};
  write("sealed/directory", sealed::to_bytes(directory));
}

void make_frames() {
  std::string text;
  for (int i = 0; i < 200; ++i) text += fmt::format("{{\"type\":\"turn\",\"n\":{}}}\n", i);
  const auto bytes = std::as_bytes(std::span(text));
  write("frame/single", compress(bytes, 3).value());
  PrimedCompressor packer;
  ChunkChain chain;
  write("frame/chunk-1", packer.pack(chain, bytes).value().frame);
  write("frame/chunk-2", packer.pack(chain, bytes).value().frame);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: make_corpus <folder>\n");
    return 2;
  }
  corpus = argv[1];
  make_events();
  make_page();
  make_messages();
  make_control();
  make_schemas();
  make_owners();
  make_frames();
  make_sealed();
}
