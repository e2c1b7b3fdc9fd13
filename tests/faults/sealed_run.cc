#include "tests/faults/sealed_run.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pievt/query.h"
#include "pievt/sealed.h"
#include "pievt/upkeep.h"
#include "store/log/writer_lock.h"

namespace pievt::faults {
namespace {

constexpr Subject attempt_subject{.job = 1, .attempt = 1};
constexpr std::size_t events_of_run = 11;

// Not to be compressed away, and the same every time.
std::string noise_of(std::size_t bytes, std::uint64_t state) {
  std::string text;
  while (text.size() < bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    text.push_back(static_cast<char>(state >> 56));
  }
  return text;
}

// The last one lies in the store as several pieces under a manifest.
const std::vector<std::string>& own_texts() {
  static const std::vector<std::string> texts = {R"({"jobs":[{"id":"count"}]})",
                                                 R"({"command":"ls bridges | wc -l"})", "7",
                                                 noise_of(300'000, 5)};
  return texts;
}

// Two chunks of one channel, and one of another.
const std::vector<std::string>& stdout_chunks() {
  static const std::vector<std::string> chunks = {noise_of(5000, 6), noise_of(3000, 7)};
  return chunks;
}
const std::string session_chunk = "{\"type\":\"session\"}\n";

OutputKey key_of(schema::OutputChannel channel) {
  return {sealed_run, attempt_subject.job, attempt_subject.attempt, channel};
}

template <class Table>
void add_event(std::vector<NewEvent>& events, Table payload, Subject subject = {}) {
  events.push_back({std::move(payload), subject});
}

Result<std::unique_ptr<schema::BlobRef>> put(Log& log, const std::string& text) {
  return std::make_unique<schema::BlobRef>(PIEVT_TRY(log.put_blob(text)));
}

Status add_output(Log& log, OutputPacker& packer, OutputWriter& writer, const std::string& bytes,
                  std::vector<NewEvent>& events) {
  auto captured = PIEVT_TRY(writer.write(log, packer, std::as_bytes(std::span(bytes))));
  for (auto& event : captured) add_event(events, std::move(event), attempt_subject);
  return {};
}

Status add_attempt(Log& log, std::vector<NewEvent>& events) {
  add_event(events, schema::AttemptLaunchRequestedT{}, attempt_subject);
  schema::ToolCallStartedT call;
  call.tool = "bash";
  call.call_id = "c-1";
  call.call = 1;
  call.arguments = PIEVT_TRY(put(log, own_texts()[1]));
  add_event(events, std::move(call), attempt_subject);
  schema::ToolCallFinishedT back;
  back.tool = "bash";
  back.call_id = "c-1";
  back.call = 1;
  back.result = PIEVT_TRY(put(log, own_texts()[2]));
  add_event(events, std::move(back), attempt_subject);
  schema::FinalMessageObservedT last;
  last.text = PIEVT_TRY(put(log, own_texts()[3]));
  add_event(events, std::move(last), attempt_subject);
  OutputPacker packer;
  OutputWriter out(key_of(schema::OutputChannel::stdout));
  for (const std::string& chunk : stdout_chunks())
    PIEVT_TRY(add_output(log, packer, out, chunk, events));
  OutputWriter session(key_of(schema::OutputChannel::session));
  PIEVT_TRY(add_output(log, packer, session, session_chunk, events));
  add_event(events, schema::AttemptExitedT{}, attempt_subject);
  return {};
}

std::string output_in(const RunSource& source, const RunState& state,
                      schema::OutputChannel channel) {
  const AttemptState* attempt = find_attempt(state, attempt_subject.job, attempt_subject.attempt);
  if (attempt == nullptr) return "";
  std::string bytes;
  // What cannot be read is missing in what is returned.
  static_cast<void>(
      source.output(key_of(channel), *attempt, [&](std::span<const std::byte> piece) -> Status {
        bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
        return {};
      }));
  return bytes;
}

// What a place holds of the run.
struct Holdings {
  std::vector<std::vector<std::byte>> events;
  std::vector<std::string> texts;  ///< of own_texts() and the shared one, those that are there
  bool output = false, any_output = false;
  bool complete() const { return texts.size() == own_texts().size() + 1 && output; }
};

// `store`: tells the digests, under which a sealed file has its texts too.
Result<Holdings> holdings_of(const RunSource& source, const Log& store, const std::string& shared) {
  Holdings found;
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    found.events.emplace_back(event.body.begin(), event.body.end());
    return {};
  }));
  std::vector<std::string> texts = own_texts();
  texts.push_back(shared);
  for (std::string& text : texts) {
    const auto content =
        source.blob({store.keyed_digest(text), text.size(), 0, schema::BlobKind::text, 0});
    if (!content.ok() && content.error().code == Errc::not_found) continue;
    if (!content.ok()) return content.error();
    if (!std::ranges::equal(*content, std::as_bytes(std::span(text))))
      return Error{Errc::corrupt, "a text is another one"};
    found.texts.push_back(std::move(text));
  }
  const RunState state = PIEVT_TRY(source.state());
  const std::string out = output_in(source, state, schema::OutputChannel::stdout);
  const std::string session = output_in(source, state, schema::OutputChannel::session);
  found.output = out == stdout_chunks()[0] + stdout_chunks()[1] && session == session_chunk;
  found.any_output = !out.empty() || !session.empty();
  return found;
}

Judgement judge_file(const std::filesystem::path& file, const Log& log, const Holdings& in_store,
                     const std::string& shared) {
  const auto verified = verify_sealed(file);
  if (!verified.ok()) return {fmt::format("the file: {}", verified.error().what)};
  if (verified->verdict != Verdict::whole)
    return {fmt::format("the file: {}", verified->findings.front().what)};
  const auto run = open_sealed(file);
  if (!run.ok()) return {fmt::format("the file: {}", run.error().what)};
  const auto in_file = holdings_of(**run, log, shared);
  if (!in_file.ok()) return {fmt::format("the file: {}", in_file.error().what)};
  if (!in_file->complete()) return {"the file does not hold all texts and output"};
  if (in_file->events != in_store.events) return {"the file has other events than the store"};
  return {};
}

bool has_remains(const std::filesystem::path& file) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(file.parent_path(), none))
    if (entry.path() != file) return true;
  return false;
}

}  // namespace

Status write_sealed_run(Log& log, const std::string& shared) {
  std::vector<NewEvent> events;
  schema::RunPlannedT planned;
  planned.run_id = sealed_run;
  planned.plan = PIEVT_TRY(put(log, own_texts()[0]));
  planned.job_count = 1;
  add_event(events, std::move(planned));
  schema::JobDeclaredT job;
  job.id = "count";
  job.prompt = PIEVT_TRY(put(log, shared));
  add_event(events, std::move(job), {.job = 1});
  PIEVT_TRY(add_attempt(log, events));
  add_event(events, schema::RunFinishedT{});
  PIEVT_ASSERT(events.size() == events_of_run);
  PIEVT_TRY(log.append(run_stream(sealed_run), Expected::any(), std::move(events)));
  return {};
}

std::filesystem::path sealed_file(const std::filesystem::path& store) {
  return store / "sealed" / (std::string(sealed_run) + ".pievt");
}

Status seal_and_remove(const std::filesystem::path& store) {
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write,
                                        .sharing = Sharing::sole,
                                        .wait = brief_lock_wait,
                                        .program = "pievt seal"}));
  if (!PIEVT_TRY(removed_runs(log)).contains(sealed_run)) {
    const auto source = PIEVT_TRY(open_run(log, sealed_run));
    const std::filesystem::path file = PIEVT_TRY(sealed_place(store, sealed_run));
    SealOptions options;
    options.pievt_version = "0.1.0";
    options.existing = SealOptions::Existing::accept;
    const SealReport report = PIEVT_TRY(seal(*source, file, options));
    PIEVT_TRY(record_sealed(log, report, file, Original::goes));
  }
  PIEVT_TRY(log.close());
  GcOptions asked;
  asked.only_run = sealed_run;
  const GcReport collected = PIEVT_TRY(collect_garbage(store, asked));
  if (collected.kept_for_processes != 0)
    return Error{Errc::busy, "the removal waits for a process"};
  return {};
}

Judgement judge_bodies(const std::filesystem::path& store, const std::string& shared,
                       Removed removed) {
  const auto log = Log::open(store);
  if (!log.ok()) return failed("opening", log.error());
  const auto source = open_run(*log, sealed_run);
  if (!source.ok()) return failed("the run", source.error());
  const auto in_store = holdings_of(**source, *log, shared);
  if (!in_store.ok()) return failed("the run", in_store.error());
  if (in_store->events.size() != events_of_run)
    return {fmt::format("{} of {} events of the run are there", in_store->events.size(),
                        events_of_run)};
  const std::filesystem::path file = sealed_file(store);
  const bool is_there = std::filesystem::exists(file);
  if (is_there) {
    const Judgement seen = judge_file(file, *log, *in_store, shared);
    if (!seen.ok()) return seen;
  }
  const auto told = removed_runs(*log);
  if (!told.ok()) return failed("what was sealed", told.error());
  const auto found = told->find(sealed_run);
  const bool is_told = found != told->end();
  if (is_told) {
    if (!is_there) return {"the store has recorded a file that is not there"};
    const auto digest = sha256_of_file(file);
    if (!digest.ok() || *digest != found->second.sha256)
      return {"the store has recorded another file"};
  }
  if (!in_store->complete() && !is_told) return {"what is gone was never said to go"};
  if (removed == Removed::perhaps) return {};
  if (!is_told) return {"the removal was not recorded"};
  if (in_store->texts != std::vector{shared})
    return {fmt::format("{} texts are left in the store", in_store->texts.size())};
  if (in_store->any_output) return {"output is left in the store"};
  if (has_remains(file)) return {"something lies beside the sealed file"};
  return {};
}

Judgement judge_sealed(const std::filesystem::path& root, std::span<const Attempt> attempts,
                       const Progress& /*progress*/) {
  const std::filesystem::path store = root / "store";
  const std::string& shared = attempts.front().blob;
  if (Judgement seen = judge_bodies(store, shared, Removed::perhaps); !seen.ok())
    return within("sealed", seen);
  if (const Status again = seal_and_remove(store); !again.ok())
    return failed("sealing again", again.error());
  return within("sealed again", judge_bodies(store, shared, Removed::certainly));
}

}  // namespace pievt::faults
