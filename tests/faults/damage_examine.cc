// The other half of damage.h: what is in a store, said as text, and whether that can still be had.
#include <fmt/format.h>

#include "pievt/query.h"
#include "pievt/verify.h"
#include "store/format/hash.h"
#include "tests/faults/attempt.h"
#include "tests/faults/damage.h"
#include "tests/store/log/temp_store.h"

namespace pievt::faults {
namespace {

constexpr int appends_in_tables = 8;
constexpr int appends_in_all = 16;

std::string must(const Status& status) {
  if (status.ok()) return "";
  fmt::print(stderr, "the reference store: {}\n", status.error().what);
  std::abort();
}

std::string line_of(const EventView& event, std::string_view stream) {
  return fmt::format("@{} {} #{} {} {}\n", event.sequence.value, stream, event.revision().value,
                     hex(sha256(event.body)), to_string(event.id.append));
}

// Every event by sequence, every blob, every stream by revision, every head.
Result<std::string> facts_of(const Log& log) {
  std::string facts;
  auto reader = log.read({1});
  while (reader.next()) {
    const EventView& event = reader.event();
    facts += line_of(event, PIEVT_TRY(log.stream_name(event.stamp->stream())));
    if (event.type() == schema::Payload::ArtifactRecorded) {
      const auto& ref = *event.envelope->payload_as_ArtifactRecorded()->content();
      facts += fmt::format("  blob {}\n", hex(sha256(PIEVT_TRY(log.get_blob(ref)))));
    }
  }
  PIEVT_TRY(reader.status());
  for (const std::string& stream : {std::string("store"), std::string("a"), std::string("b")}) {
    facts += fmt::format("{} ends at #{}\n", stream, PIEVT_TRY(log.stream_head(stream)).value);
    auto of_stream = log.read_stream(stream, {});
    while (of_stream.next()) facts += line_of(of_stream.event(), stream);
    PIEVT_TRY(of_stream.status());
  }
  const RunList runs = PIEVT_TRY(load_runs(log));
  return facts + fmt::format("{} runs\n", runs.runs.size());
}

// The store as it answers now. Only what `verify` has nothing against must be true.
DamageOutcome examine_log(const Log& log, const std::string& facts) {
  const auto report = verify(log);
  const bool suspicious =
      !report.ok() || report->verdict != Verdict::whole || log.info().missing != 0;
  const auto now = facts_of(log);
  if (!now.ok()) return {Noticed::at_read, now.error().what};
  if (suspicious) {
    return {Noticed::by_verify, !report.ok()               ? report.error().what
                                : report->findings.empty() ? "events are missing"
                                                           : report->findings.front().what};
  }
  if (*now == facts) return {};
  const std::size_t lines = static_cast<std::size_t>(std::ranges::count(*now, '\n'));
  return {Noticed::silent, fmt::format("{} lines of facts, and not those that were", lines)};
}

// A writer must not be talked into writing anything twice, nor into going on at a wrong place. That
// `verify` could notice it afterwards is no excuse: what is written is written.
DamageOutcome examine_retries(Log& log) {
  for (int i = 0; i < appends_in_all; ++i) {
    const auto again = perform(log, numbered_attempt(i));
    if (!again.ok()) return {Noticed::at_read, again.error().what};
    if (again->outcome != AppendOutcome::already_there) {
      return {Noticed::silent, fmt::format("append {} was written a second time", i)};
    }
  }
  const auto done = perform(log, numbered_attempt(appends_in_all));
  return done.ok() ? DamageOutcome() : DamageOutcome{Noticed::at_read, done.error().what};
}

DamageOutcome examine_writer(const std::filesystem::path& store, const std::string& facts) {
  auto log = Log::open(store, {.mode = OpenMode::write, .program = "damage_test"});
  if (!log.ok()) return {Noticed::at_open, log.error().what};
  // The period that has just begun has events of its own, behind all others.
  const std::string by_sequence = facts.substr(0, facts.find("store ends"));
  const auto begun = facts_of(*log);
  const DamageOutcome retried = examine_retries(*log);
  if (retried.noticed != Noticed::harmless) return retried;
  if (!begun.ok()) return {Noticed::at_read, begun.error().what};
  const auto now = facts_of(*log);
  if (!now.ok()) return {Noticed::at_read, now.error().what};
  const DamageOutcome outcome = examine_log(*log, *now);
  if (outcome.noticed != Noticed::harmless) return outcome;
  if (begun->starts_with(by_sequence)) return {};
  return {Noticed::silent, "a writer goes on behind other events than there were"};
}

}  // namespace

std::string make_reference(const std::filesystem::path& store) {
  const std::filesystem::path working = store.string() + ".working";
  {
    auto log = Log::open(working, {.mode = OpenMode::create, .program = "damage_test"});
    if (!log.ok()) must(log.error());
    for (int i = 0; i < appends_in_tables; ++i) {
      if (const auto done = perform(*log, numbered_attempt(i)); !done.ok()) must(done.error());
    }
    must(save_views(*log));
    must(log->close());
  }
  auto log = Log::open(working, {.mode = OpenMode::write, .program = "damage_test"});
  if (!log.ok()) must(log.error());
  for (int i = appends_in_tables; i < appends_in_all; ++i) {
    if (const auto done = perform(*log, numbered_attempt(i)); !done.ok()) must(done.error());
  }
  must(save_views(*log));
  // The last append takes the saved views along to the disk.
  auto facts = facts_of(*log);
  if (!facts.ok()) must(facts.error());
  std::filesystem::remove(working / "SOCKET");  // of the living; cannot be copied
  std::filesystem::copy(working, store, std::filesystem::copy_options::recursive);
  return *facts;
}

DamageOutcome examine(const std::filesystem::path& store, const std::string& facts) {
  DamageOutcome outcome;
  {
    const auto log = Log::open(store);
    outcome =
        log.ok() ? examine_log(*log, facts) : DamageOutcome{Noticed::at_open, log.error().what};
  }
  if (outcome.noticed == Noticed::silent) return {Noticed::silent, "reader: " + outcome.what};
  DamageOutcome writing = examine_writer(store, facts);
  if (writing.noticed == Noticed::silent) return {Noticed::silent, "writer: " + writing.what};
  return outcome.noticed != Noticed::harmless ? outcome : writing;
}

}  // namespace pievt::faults
