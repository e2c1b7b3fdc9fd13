#include "tests/tools/exporters/sample_run.h"

#include "pievt/query.h"
#include "store/format/codec.h"

namespace pievt::tools {
namespace {

constexpr std::uint64_t started_ns = 1'770'000'000'123'456'789;

// Tells one event after the other, some milliseconds apart.
class Teller {
 public:
  Teller(Log& log, std::string run) : log_(log), stream_(run_stream(run)) {}

  template <class Table>
  void tell(Table payload, Subject subject = {}, std::uint64_t causation = 0) {
    NewEvent event{std::move(payload), subject};
    event.cause.causation = {causation};
    // Half of them leave their time to the stamp.
    if (++told_ % 2 == 0) event.occurred_ns = started_ns + told_ * 1'000'000;
    std::vector<NewEvent> events;
    events.push_back(std::move(event));
    const auto done = log_.append(stream_, Expected::any(), std::move(events));
    ASSERT_TRUE(done.ok()) << done.error().what;
  }

  std::unique_ptr<schema::BlobRef> text(std::string_view content) {
    const auto ref = log_.put_blob(content);
    EXPECT_TRUE(ref.ok());
    return std::make_unique<schema::BlobRef>(*ref);
  }

  void output(const OutputKey& key, const std::string& bytes) {
    OutputPacker packer;
    OutputWriter writer(key);
    auto events = writer.write(log_, packer, std::as_bytes(std::span(bytes)));
    ASSERT_TRUE(events.ok()) << events.error().what;
    for (auto& event : *events) tell(std::move(event), {.job = key.job, .attempt = key.attempt});
  }

 private:
  Log& log_;
  std::string stream_;
  std::uint64_t told_ = 0;
};

std::string noise(std::size_t size, std::uint64_t seed) {
  std::string bytes(size, '\0');
  for (char& c : bytes) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(seed >> 56);
  }
  return bytes;
}

void tell_attempt(Teller& teller, const SampleRun& sample) {
  const Subject one{.job = 1, .attempt = 1};
  schema::AttemptLaunchRequestedT request;
  request.argv = {"pi", "-p"};
  request.model = "fake/scripted-1";
  request.prompt = teller.text(sample.prompt);
  request.purpose = schema::AttemptPurpose::work;
  teller.tell(std::move(request), one, 1);
  teller.tell(schema::AttemptLaunchedT{}, one, 5);
  schema::SessionStartedT session;
  session.session_id = "s-1";
  teller.tell(std::move(session), one);
  schema::ToolCallStartedT call;
  call.tool = "bash";
  call.call_id = "c-1";
  call.call = 1;
  call.subject = "echo " + sample.secret;
  call.arguments = teller.text("{\"command\":\"echo " + sample.secret + "\"}");
  teller.tell(std::move(call), one);
  schema::ToolCallFinishedT back;
  back.tool = "bash";
  back.call_id = "c-1";
  back.call = 1;
  back.result = teller.text(std::string("\xff\x00 not text", 11));
  teller.tell(std::move(back), one, 8);
  schema::UsageRecordedT usage;
  usage.provider = "fake";
  usage.model = "scripted-1";
  usage.stop_reason = "stop";
  usage.reported = schema::Reported::reported;
  usage.usage = std::make_unique<schema::UsageT>();
  usage.usage->input_tokens = 10;
  usage.usage->output_tokens = 2;
  usage.usage->total_tokens = 12;
  usage.usage->cost_nanodollars = 9'100'000;
  teller.tell(std::move(usage), one);
  schema::TurnEndedT turn;
  turn.turn = 1;
  turn.tool_calls = 1;
  teller.tell(std::move(turn), one);
  schema::FinalMessageObservedT last;
  last.text = teller.text(sample.final_text);
  last.excerpt = sample.final_text.substr(0, sample.final_text.find('\n'));
  teller.tell(std::move(last), one);
  teller.output({sample.id, 1, 1, schema::OutputChannel::stdout}, sample.stdout_bytes);
  teller.output({sample.id, 1, 1, schema::OutputChannel::session}, sample.session_bytes);
  teller.tell(schema::AttemptExitedT{}, one);
  schema::AttemptClassifiedT classified;
  classified.ending = schema::Ending::ok;
  classified.reason = hostile;
  teller.tell(std::move(classified), one);
}

}  // namespace

SampleRun write_sample(Log& log) {
  SampleRun sample;
  // More than a chunk, and not compressible.
  sample.stdout_bytes = noise((2u << 20) + 4711, 7);
  sample.session_bytes = "{\"type\":\"session\"}\n{\"type\":\"message\"}\n";
  Teller teller(log, sample.id);
  schema::RunPlannedT planned;
  planned.run_id = sample.id;
  planned.name = "bridges " + hostile;
  planned.plan = teller.text("{\"jobs\":[]}");
  planned.job_count = 2;
  planned.concurrency = 2;
  teller.tell(std::move(planned));
  teller.tell(schema::RunStartedT{});
  schema::JobDeclaredT job;
  job.id = "count";
  job.prompt = teller.text(sample.prompt);
  teller.tell(std::move(job), {.job = 1});
  schema::JobDeclaredT other;
  other.id = "paint";
  teller.tell(std::move(other), {.job = 2});
  tell_attempt(teller, sample);
  schema::GateOpenedT opened;
  opened.kind = schema::GateKind::acceptance;
  teller.tell(std::move(opened), {.job = 1, .attempt = 1, .gate = 1});
  schema::GateDecidedT decided;
  decided.decision = schema::GateDecision::failed;
  decided.checks.push_back(std::make_unique<schema::CheckT>());
  decided.checks[0]->kind = "requiredPaths";
  decided.checks[0]->target = "out/bridges.md";
  decided.checks[0]->status = schema::CheckStatus::failed;
  decided.checks[0]->expected = "a file";
  decided.checks[0]->actual = "nothing";
  teller.tell(std::move(decided), {.job = 1, .attempt = 1, .gate = 1});
  schema::SecretFoundT secret;
  secret.place = schema::SecretPlace::tool_arguments;
  secret.rule = "live-key";
  secret.prefix = "sk-live-";
  teller.tell(std::move(secret), {.job = 1, .attempt = 1});
  schema::JobFinishedT failed;
  failed.status = schema::JobStatus::failed;
  failed.failure = schema::FailureKind::acceptance_failed;
  failed.reason = "contract: out/bridges.md missing";
  teller.tell(std::move(failed), {.job = 1});
  schema::JobFinishedT skipped;
  skipped.status = schema::JobStatus::skipped;
  skipped.failure = schema::FailureKind::dependency_failed;
  skipped.reason = "count failed";
  teller.tell(std::move(skipped), {.job = 2});
  schema::RunFinishedT end;
  end.ending = schema::RunEnding::failed;
  teller.tell(std::move(end));
  return sample;
}

void append_unknown(Log& log, const std::string& run_id) {
  std::vector<NewEvent> events;
  events.push_back({schema::RunPausedT{}});
  const StreamEvents stream{run_stream(run_id), Expected::any(), std::move(events)};
  const auto encoded = EncodedAppend::encode(std::span(&stream, 1));
  ASSERT_TRUE(encoded.ok());
  EncodedAppend::Impl parts = encoded->impl();
  auto* table = reinterpret_cast<flatbuffers::Table*>(
      const_cast<schema::Envelope*>(schema::GetEnvelope(parts.bodies.data())));
  ASSERT_TRUE(
      table->SetField<std::uint8_t>(schema::Envelope::VT_PAYLOAD_TYPE, std::uint8_t{200}, 0));
  const auto changed = EncodedAppend::Impl::assemble(std::move(parts));
  ASSERT_TRUE(changed.ok()) << changed.error().what;
  ASSERT_TRUE(log.append(*changed).ok());
}

Exported exported(std::string_view format, const RunSource& source, ExportOptions options) {
  if (options.pievt_version.empty()) options.pievt_version = "0.1.0";
  if (options.semconv.empty()) options.semconv = "1.37";
  render::StringWriter out;
  auto manifest = export_run(*find_exporter(format), source, out, options);
  EXPECT_TRUE(manifest.ok()) << (manifest.ok() ? "" : manifest.error().what);
  return {out.take(), manifest.ok() ? *manifest : Manifest{}};
}

}  // namespace pievt::tools
