#include "supervisor/capture/attempt_output.h"

namespace pievt::supervisor {
namespace {

// One look at one child: enough for a gigabyte a second at the pace of the loop.
constexpr std::size_t pump_bytes_max = 8u << 20;

OutputKey key_of(const RunRecord& record, Subject subject, schema::OutputChannel channel) {
  return {record.run_id(), subject.job, subject.attempt, channel};
}

// What an earlier supervisor recorded of it beyond what the state counts.
struct Recorded {
  std::uint64_t observations = 0;
  StoredSession session;
};

Result<Recorded> recorded(const RunRecord& record, Log& log, Subject subject,
                          const AttemptState& attempt) {
  Recorded found;
  auto reader = log.read_stream(run_stream(record.run_id()), {attempt.first_revision},
                                {attempt.last_revision});
  while (reader.next()) {
    const schema::Head& head = reader.event().head();
    if (head.job() != subject.job || head.attempt() != subject.attempt) continue;
    if (is_observation(reader.event())) ++found.observations;
    const auto* chunk = reader.event().envelope->payload_as_OutputCaptured();
    if (chunk == nullptr || chunk->channel() != schema::OutputChannel::session) continue;
    ++found.session.chunks;
    found.session.bytes = chunk->offset() + chunk->size();
  }
  PIEVT_TRY(reader.status());
  return found;
}

}  // namespace

Result<AttemptOutput> AttemptOutput::open(RunRecord& record, Subject subject,
                                          const std::string& cwd, OutputPaths paths,
                                          const secrets::Policy& policy) {
  const AttemptState* attempt = find_attempt(record.state(), subject.job, subject.attempt);
  if (attempt == nullptr) return Error{Errc::not_found, "there is no such attempt to follow"};
  const OutputKey out_key = key_of(record, subject, schema::OutputChannel::stdout);
  Channel out = PIEVT_TRY(
      Channel::open(paths.stdout_file, out_key, attempt->stdout_chunks, attempt->stdout_bytes));
  Channel err = PIEVT_TRY(Channel::open(paths.stderr_file,
                                        key_of(record, subject, schema::OutputChannel::stderr),
                                        attempt->stderr_chunks, attempt->stderr_bytes));
  const Recorded known_of_it = PIEVT_TRY(recorded(record, record.log(), subject, *attempt));
  AttemptOutput output(subject, std::move(paths), std::move(out), std::move(err),
                       Observer(subject, cwd, known_of_it.observations, policy),
                       SecretWatch(policy, subject));
  output.session_stored_ = known_of_it.session;
  if (attempt->stdout_bytes > 0) {
    const AttemptState known = *attempt;  // proposing events below moves the state
    PIEVT_TRY(read_output(record.log(), out_key, known, [&](std::span<const std::byte> bytes) {
      return output.understand(record, bytes);
    }));
  }
  return output;
}

schema::Activity activity_of(const pi::StreamFacts& facts, bool streaming) {
  using enum schema::Activity;
  if (!facts.header_seen || facts.agent_runs == 0) return starting;
  if (facts.tools_open > 0) return tool;
  const bool announced = facts.retry_pending || facts.compaction_open.has_value();
  if (facts.agent_end_seen && !facts.run_open && !announced) return ended;
  return streaming ? thinking : provider;
}

Status AttemptOutput::see(RunRecord& record, pi::Observation&& observation) {
  if (const auto* update = std::get_if<pi::Streaming>(&observation)) {
    streaming_ = streaming_ || update->kind != pi::StreamingKind::tool_output;
  } else {
    streaming_ = false;
  }
  pi::apply(facts_, observation);
  return observer_.see(record, observation);
}

Status AttemptOutput::understand(RunRecord& record, std::span<const std::byte> bytes) {
  Status status;
  stream_.feed(bytes, [&](pi::Observation&& observation) {
    if (status.ok()) status = see(record, std::move(observation));
  });
  return status;
}

Result<std::uint64_t> AttemptOutput::pump(RunRecord& record, CaptureTools& tools) {
  const std::uint64_t out =
      PIEVT_TRY(stdout_.pump(record, tools, subject_, pump_bytes_max,
                             [&](std::span<const std::byte> b) { return understand(record, b); }));
  const std::uint64_t err = PIEVT_TRY(
      stderr_.pump(record, tools, subject_, pump_bytes_max, [&](std::span<const std::byte> bytes) {
        const std::string_view piece(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return stderr_secrets_.see_piece(record, piece, "stderr", stderr_.offset() - bytes.size());
      }));
  if (out + err > 0) last_activity_ = process::Clock::now();
  return out + err;
}

Status AttemptOutput::finish(RunRecord& record, CaptureTools& tools) {
  Status status;
  stream_.finish([&](pi::Observation&& observation) {
    if (status.ok()) status = see(record, std::move(observation));
  });
  PIEVT_TRY(std::move(status));
  PIEVT_TRY(stdout_.store_rest(record, tools, subject_));
  PIEVT_TRY(stderr_.store_rest(record, tools, subject_));
  return store_session(record, tools);
}

Status AttemptOutput::store_session(RunRecord& record, CaptureTools& tools) {
  // pi 0.73 writes no session file before its first answer: its absence is a fact, not an error.
  if (const auto tail = pi::read_session_tail(paths_.session_file, paths_.session_before);
      tail.ok())
    session_ = *tail;
  auto channel =
      Channel::open(paths_.session_file, key_of(record, subject_, schema::OutputChannel::session),
                    session_stored_.chunks, session_stored_.bytes);
  if (!channel.ok()) return {};
  while (PIEVT_TRY(channel->pump(record, tools, subject_, pump_bytes_max,
                                 [](auto) { return Status(); })) > 0) {
  }
  return channel->store_rest(record, tools, subject_);
}

Status AttemptOutput::release_stored() {
  PIEVT_TRY(stdout_.release_stored());
  return stderr_.release_stored();
}

}  // namespace pievt::supervisor
