// When imported events happened, what the source is known to have lost, and where secrets stand.
#include <functional>

#include "tests/tools/importers/testing.h"

namespace pievt::tools {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t begin_ns = 1'772'445'600'000'000'000;  // 2026-03-02T10:00:00Z
constexpr std::uint64_t end_ns = begin_ns + 2'405'000'000;

struct Told {
  schema::Payload type = schema::Payload::NONE;
  std::uint32_t job = 0, attempt = 0;
  std::uint64_t at_ns = 0;
  friend bool operator==(const Told&, const Told&) = default;
};

std::vector<Told> told(const Log& log, std::string_view run = sample_id) {
  std::vector<Told> all;
  for (auto reader = log.read_stream(run_stream(run), {1}); reader.next();) {
    const schema::Head& head = reader.event().head();
    all.push_back({reader.event().type(), head.job(), head.attempt(), head.occurred_ns()});
  }
  return all;
}

template <class Event>
std::vector<Event> events_of(const Log& log) {
  std::vector<Event> all;
  for (auto reader = log.read_stream(run_stream(sample_id), {1}); reader.next();) {
    auto payload = unpack(reader.event());
    if (const auto* event = payload->as<Event>()) all.push_back(*event);
  }
  return all;
}

void expect_own_times(const std::vector<Told>& events) {
  std::uint64_t before = begin_ns;
  for (const Told& event : events) {
    EXPECT_GE(event.at_ns, before) << schema::EnumNamePayload(event.type);
    EXPECT_LE(event.at_ns, end_ns) << schema::EnumNamePayload(event.type);
    before = event.at_ns;
  }
}

const Told* find_event(const std::vector<Told>& events, schema::Payload type, std::uint32_t job) {
  const auto found = std::ranges::find_if(
      events, [&](const Told& event) { return event.type == type && event.job == job; });
  return found == events.end() ? nullptr : &*found;
}

// Removes every `"key":"..."` of the file.
void strip(const fs::path& file, const std::string& key) {
  std::string text = slurp(file);
  const std::string begin = "\"" + key + "\":\"";
  for (std::size_t at = 0; (at = text.find(begin)) != std::string::npos;)
    text.erase(at, text.find("\",", at) + 2 - at);
  spill(file, text);
}

// A worker's output without times: it began with the attempt, and spoke its last when it ended.
TEST_F(PiJobsImport, WhatHasNoTimeHasThatOfItsAttempt) {
  for (const char* attempt : {"tides/attempt-1", "clocks/attempt-1", "clocks/attempt-2"})
    strip(batch_ / "attempts" / attempt / "session.jsonl", "timestamp");
  Log log = open();
  import(&log);
  const std::vector<Told> events = told(log);
  expect_own_times(events);
  const Told* session = find_event(events, schema::Payload::SessionStarted, 1);
  const Told* last = find_event(events, schema::Payload::FinalMessageObserved, 1);
  const Told* call = find_event(events, schema::Payload::ToolCallStarted, 1);
  ASSERT_TRUE(session != nullptr && last != nullptr && call != nullptr);
  EXPECT_EQ(session->at_ns, begin_ns + 5'000'000);
  EXPECT_EQ(call->at_ns, begin_ns + 300'000'000) << "telemetry has a time of its own";
  EXPECT_EQ(last->at_ns, begin_ns + 900'000'000);
  // Between the attempts of the second job, and an hour after the end.
  const auto halfway = revision_at(log, sample_id, begin_ns + 1'550'000'000);
  const auto later = revision_at(log, sample_id, end_ns + 3'600'000'000'000);
  ASSERT_TRUE(halfway.ok() && later.ok());
  EXPECT_EQ(events[halfway->value - 1].type, schema::Payload::JobRetryScheduled);
  EXPECT_EQ(later->value, events.size());
  // And a second import into another store tells the same.
  auto other = Log::open(directory_.path() / "other", {.mode = OpenMode::create});
  ASSERT_TRUE(other.ok());
  import(&*other);
  EXPECT_EQ(told(*other), events);
}

// Clocks that were set, and lines without a time: nothing leaves what is known around it.
TEST_F(PiJobsImport, StrangeTimesAreHeldByWhatIsAroundThem) {
  replace(batch_ / "events.jsonl", "2026-03-02T10:00:00.300Z", "2031-03-02T10:00:00.300Z");
  replace(batch_ / "events.jsonl", "2026-03-02T10:00:01.610Z", "start");
  replace(batch_ / "attempts/clocks/attempt-2/session.jsonl", "2026-03-02T10:00:01.700Z",
          "1999-03-02T10:00:01.700Z");
  replace(batch_ / "attempts/tides/attempt-1/session.jsonl", "2026-03-02T10:00:00.800Z",
          "2026-03-02T10:00:07.800Z");
  Log log = open();
  import(&log);
  expect_own_times(told(log));
}

// Jobs ran side by side: their events stand by time, and each in the order of its own job.
TEST_F(PiJobsImport, JobsSideBySideAreToldByTime) {
  // The second job begins while the first one works; its line keeps its later number.
  replace(batch_ / "events.jsonl", "2026-03-02T10:00:00.910Z", "2026-03-02T10:00:00.250Z");
  Log log = open();
  import(&log);
  const std::vector<Told> events = told(log);
  expect_own_times(events);
  const Told* second = find_event(events, schema::Payload::AttemptLaunched, 2);
  const Told* label = find_event(events, schema::Payload::ProgressReported, 1);
  ASSERT_TRUE(second != nullptr && label != nullptr);
  EXPECT_EQ(second->at_ns, begin_ns + 250'000'000);
  EXPECT_LT(second, label);
}

TEST_F(PiJobsImport, ABatchWithoutAnyTimeHasThatOfItsName) {
  for (const auto& file : fs::recursive_directory_iterator(batch_)) {
    if (file.path().extension() != ".json" && file.path().extension() != ".jsonl") continue;
    std::string text = slurp(file.path());
    for (std::size_t at = 0; (at = text.find("2026-03-02T", at)) != std::string::npos; ++at)
      text.replace(at, 11, "2026-03-02?");
    spill(file.path(), text);
  }
  Log log = open();
  import(&log);
  for (const Told& event : told(log)) EXPECT_EQ(event.at_ns, begin_ns);
}

struct Loss {
  const char* name;
  std::function<void(std::string& log)> make;
  std::string known, read;
};

TEST_F(PiJobsImport, WhatTheLogHasLostIsCounted) {
  const std::string whole = slurp(batch_ / "events.jsonl");
  const auto line_at = [](const std::string& log, int number) {
    std::size_t begin = 0;
    for (int i = 1; i < number; ++i) begin = log.find('\n', begin) + 1;
    return std::pair(begin, log.find('\n', begin) + 1 - begin);
  };
  const std::vector<Loss> losses = {
      {"torn behind its number", [&](auto& log) { log.resize(line_at(log, 15).first + 60); }, "15",
       "14"},
      {"torn before its number", [&](auto& log) { log.resize(line_at(log, 15).first + 20); }, "15",
       "14"},
      {"a line is gone",
       [&](auto& log) { log.erase(line_at(log, 5).first, line_at(log, 5).second); }, "15", "14"},
      {"a line cannot be read", [&](auto& log) { log[line_at(log, 5).first] = '?'; }, "15", "14"},
      {"the end was never written", [&](auto& log) { log.resize(line_at(log, 15).first); }, "15",
       "14"},
      {"more bad lines than are told",
       [&](auto& log) {
         for (int i = 0; i < 1200; ++i) log.insert(line_at(log, 5).first, "?\n");
       },
       "1215", "15"},
      {"two lines, and the end is torn",
       [&](auto& log) {
         log.resize(line_at(log, 15).first + 20);
         log.erase(line_at(log, 5).first, line_at(log, 5).second);
         log[line_at(log, 9).first] = '?';
       },
       "15", "12"},
  };
  for (const Loss& loss : losses) {
    SCOPED_TRACE(loss.name);
    std::string log_text = whole;
    loss.make(log_text);
    spill(batch_ / "events.jsonl", log_text);
    TempDirectory place;
    auto log = Log::open(place.path() / "store", {.mode = OpenMode::create});
    ASSERT_TRUE(log.ok());
    import(&*log);
    std::vector<std::string> counts;
    for (const auto& found : events_of<schema::ImportAnomalyFoundT>(*log)) {
      if (found.field == "seq" && found.anomaly == ImportAnomaly::unfinished)
        counts = {found.file, found.expected, found.actual};
    }
    EXPECT_THAT(counts, ElementsAre("events.jsonl", loss.known, loss.read));
    const auto read = events_of<schema::ImportFinishedT>(*log);
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(std::to_string(read[0].records), loss.read);
  }
}

TEST_F(PiJobsImport, AWholeBatchSaysHowMuchWasRead) {
  fs::remove(batch_ / "attempts/clocks/attempt-2/session.jsonl");
  replace(batch_ / "jobs/clocks.json", "\"exitCode\": 0",
          "\"exitCode\": 0, \"sawTerminalAssistantMessage\": true");
  Log log = open();
  import(&log);
  const auto read = events_of<schema::ImportFinishedT>(log);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].records, 15u);
  EXPECT_EQ(read[0].jobs, 2u);
  EXPECT_EQ(read[0].attempts, 3u);
  EXPECT_EQ(read[0].anomalies, 1u);
  const auto found = events_of<schema::ImportAnomalyFoundT>(log);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].field, "sessions");
  EXPECT_EQ(found[0].expected, "3");
  EXPECT_EQ(found[0].actual, "2");
}

// Whoever redacts one of them must know of the others.
TEST_F(PiJobsImport, ASecretIsToldAtEachOfItsPlaces) {
  const std::string secret = "sk-live-0000-FAKE";
  const std::string call =
      "\"content\":[{\"type\":\"toolCall\",\"id\":\"c7\",\"name\":\"bash\",\"arguments\":"
      "{\"command\":\"export API_TOKEN=" +
      secret + "\"}}]";
  replace(batch_ / "attempts/tides/attempt-1/session.jsonl", "\"content\":[]", call);
  replace(batch_ / "events.jsonl", "Read tides.md", "export API_TOKEN=" + secret);
  spill(batch_ / "summary.md",
        "export API_TOKEN=" + secret + "\nand again: API_TOKEN=" + secret + "\n");
  Log log = open();
  import(&log);
  std::vector<std::string> places;
  const schema::Digest* digest = nullptr;
  const auto found = events_of<schema::SecretFoundT>(log);
  for (const schema::SecretFoundT& secret_found : found) {
    places.push_back(secret_found.where);
    EXPECT_EQ(secret_found.size, secret.size());
    if (digest != nullptr) {
      EXPECT_TRUE(std::ranges::equal(*digest->bytes(), *secret_found.digest->bytes()));
    }
    digest = secret_found.digest.get();
  }
  EXPECT_THAT(places, ElementsAre("bash", "attempts/tides/attempt-1/session.jsonl", "events.jsonl",
                                  "summary.md", "summary.md"));
  const Sequence head = log.head();
  import(&log);
  EXPECT_EQ(log.head(), head);
}

}  // namespace
}  // namespace pievt::tools
