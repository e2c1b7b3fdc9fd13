// The states that are kept on the way to a long run's last event: every moment is the same with and
// without them, they are used where they fit and nowhere else, and what they take is bounded.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "pievt/upkeep.h"
#include "pievt/verify.h"
#include "store/format/keys.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"
#include "store/log/stored_page.h"
#include "store/views/run_clock.h"
#include "store/views/run_view.h"
#include "tests/store/log/temp_store.h"
#include "tests/store/model/run_fixture.h"

namespace pievt {
namespace {

NewEvent spent() {
  schema::UsageRecordedT payload;
  payload.reported = schema::Reported::reported;
  payload.usage = std::make_unique<schema::UsageT>();
  payload.usage->total_tokens = 7;
  return event(std::move(payload), {.job = 1, .attempt = 1});
}

class LongRunTest : public StoreTest {
 protected:
  static constexpr const char* run_id = "20240604-ddd444";
  static constexpr std::uint64_t step = milestone_events;

  // `jobs` declared with a sentence that is in the state from then on, and `events` in all.
  void make(std::uint32_t jobs, std::size_t sentence, std::uint64_t events) {
    open();
    std::vector<NewEvent> part = {planned(run_id, "long")};
    for (std::uint32_t job = 1; job <= jobs; ++job) {
      schema::JobDeclaredT payload;
      payload.id = "job" + std::to_string(job);
      payload.name = std::string(sentence, 'n');
      part.push_back(event(std::move(payload), {.job = job}));
    }
    part.push_back(event(schema::RunStartedT{}));
    part.push_back(of_attempt<schema::AttemptLaunchRequestedT>(1, 1));
    for (std::uint64_t at = 1; at <= events; ++at) {
      if (at > part.size() + written_) part.push_back(spent());
      if (part.size() < 8192 && at < events) continue;
      written_ += part.size();
      const auto done = log().append(run_stream(run_id), Expected::any(), std::move(part),
                                     {.id = {}, .durability = Durability::memory});
      ASSERT_TRUE(done.ok()) << done.error().what;
      part.clear();
    }
    ASSERT_EQ(head(), events);
  }

  std::uint64_t head() { return log().stream_head(run_stream(run_id)).value().value; }
  std::vector<std::byte> folded(std::uint64_t at) {
    return to_bytes(fold_run(log(), run_id, {at}).value());
  }
  std::vector<std::byte> loaded(std::uint64_t at) {
    return to_bytes(load_run(log(), run_id, {at}).value());
  }
  std::optional<Checkpoint> kept(std::uint64_t at) {
    return log().load_checkpoint(run_milestone_name(run_id, {at})).value();
  }
  void keep(std::uint64_t at, const std::string& identity, std::vector<std::byte> state) {
    ASSERT_TRUE(
        log()
            .save_checkpoint(run_milestone_name(run_id, {at}), {identity, {at}, std::move(state)})
            .ok());
  }

 private:
  std::uint64_t written_ = 0;
};

TEST_F(LongRunTest, AnyMomentIsTheSameWithAndWithoutStatesOnTheWay) {
  make(3, 10, 2 * step + 100);
  const std::uint64_t moments[] = {1, 7, step - 1, step, step + 1, 2 * step, 2 * step + 50};
  std::vector<std::vector<std::byte>> folds;
  for (const std::uint64_t at : moments) {
    folds.push_back(folded(at));
    EXPECT_EQ(loaded(at), folds.back()) << "nothing is saved, at #" << at;
  }
  const auto newest = folded(0);
  ASSERT_TRUE(save_run(log(), run_id).ok());
  for (const std::uint64_t at : {step, 2 * step}) {
    const auto milestone = kept(at);
    ASSERT_TRUE(milestone.has_value()) << "#" << at;
    EXPECT_EQ(milestone->identity, run_view_identity());
    EXPECT_EQ(milestone->state, folded(at)) << "#" << at;
  }
  EXPECT_FALSE(kept(3 * step).has_value());
  for (std::size_t i = 0; i < folds.size(); ++i)
    EXPECT_EQ(loaded(moments[i]), folds[i]) << "at #" << moments[i];
  EXPECT_EQ(loaded(0), newest);
  reopen();
  const Log reader = open_reader();
  EXPECT_EQ(to_bytes(load_run(reader, run_id, {step + 1}).value()), folds[4]);
}

// Whether they are used shows in a state that no fold would give.
TEST_F(LongRunTest, AStateOnTheWayIsUsedWhereItFitsAndOnlyThere) {
  make(3, 10, 2 * step + 100);
  RunState other = fold_run(log(), run_id, {step}).value();
  other.name = "not from events";
  keep(step, run_view_identity(), to_bytes(other));
  EXPECT_EQ(load_run(log(), run_id, {step + 9}).value().name, other.name);
  EXPECT_EQ(load_run(log(), run_id).value().name, other.name) << "the newest one folds on from it";
  EXPECT_EQ(load_run(log(), run_id, {step - 1}).value().name, "long") << "it is too new for that";

  keep(step, "run/0/old", to_bytes(other));
  EXPECT_EQ(load_run(log(), run_id, {step + 9}).value().name, "long") << "of another version";
  keep(step, run_view_identity(), {std::byte{1}, std::byte{2}});
  EXPECT_EQ(load_run(log(), run_id, {step + 9}).value().name, "long") << "not a state";
  other.revision = step + 1;
  keep(step, run_view_identity(), to_bytes(other));
  EXPECT_EQ(load_run(log(), run_id, {step + 9}).value().name, "long") << "of another moment";

  // An old newest state is passed by for a nearer one, and stands where there is none.
  RunState old = fold_run(log(), run_id, {10}).value();
  old.name = "old";
  ASSERT_TRUE(
      log()
          .save_checkpoint(run_view_name(run_id), {run_view_identity(), {10}, to_bytes(old)})
          .ok());
  EXPECT_EQ(load_run(log(), run_id).value().name, "old");
  other.revision = step;
  keep(step, run_view_identity(), to_bytes(other));
  EXPECT_EQ(load_run(log(), run_id).value().name, other.name);
  EXPECT_EQ(load_run(log(), run_id, {step - 1}).value().name, "old");
}

TEST_F(LongRunTest, StatesOnTheWayAreBoundedByTheEvents) {
  // A state of more than 16 bytes for each event up to the first step, and less up to the second.
  make(40, 5'000, 3 * step + 10);
  ASSERT_GT(folded(step).size(), step * milestone_bytes_per_event);
  ASSERT_TRUE(save_run(log(), run_id).ok());
  EXPECT_FALSE(kept(step).has_value());
  ASSERT_TRUE(kept(2 * step).has_value());
  EXPECT_FALSE(kept(3 * step).has_value()) << "only a step behind the last one";
  const auto first = kept(2 * step)->state;
  for (const std::uint64_t at : {step + 5, 2 * step + 5, 3 * step + 5}) {
    EXPECT_EQ(loaded(at), folded(at)) << "at #" << at;
  }
  ASSERT_TRUE(save_run(log(), run_id).ok());
  EXPECT_FALSE(kept(3 * step).has_value()) << "saving again changes nothing";
  EXPECT_EQ(kept(2 * step)->state, first);
}

// The times of an imported run go forth and back; what is asked for is the first event that is
// later.
TEST_F(LongRunTest, ATimeIsTheSameMomentWithAndWithoutAClock) {
  make(3, 10, step);
  std::vector<NewEvent> more;
  for (std::uint64_t at = 0; at < 3 * clock_step_events; ++at) {
    NewEvent told = spent();
    told.occurred_ns = (at * 7919) % 5000 < 40 ? 2'000'000'000'000'000'000 + at * 1000 : 1000 + at;
    more.push_back(std::move(told));
  }
  ASSERT_TRUE(log().append(run_stream(run_id), Expected::any(), std::move(more), {}).ok());
  std::set<std::uint64_t> times = {1, UINT64_MAX};
  std::uint64_t latest = 0;
  auto reader = log().read_stream(run_stream(run_id), {});
  while (reader.next()) {
    const std::uint64_t time = reader.event().time_ns();
    if (time <= latest && reader.event().revision().value % (2 * clock_step_events) != 0) continue;
    times.insert({time - 1, time});
    latest = std::max(latest, time);
  }
  ASSERT_GT(times.size(), 40u);
  const auto found = [&] {
    std::vector<std::uint64_t> all;
    for (const std::uint64_t time : times)
      all.push_back(revision_at(log(), run_id, time).value().value);
    return all;
  };
  const auto read = found();
  ASSERT_TRUE(save_run_clock(log(), run_id).ok());
  EXPECT_EQ(clock_before(log(), run_id, UINT64_MAX).value().value,
            head() / clock_step_events * clock_step_events);
  EXPECT_EQ(found(), read);

  // Made in two parts it is the same as made at once, and a damaged one is as good as none.
  const auto saved = log().load_checkpoint(run_clock_name(run_id)).value().value();
  Checkpoint half = saved;
  half.state.resize(5 * 8);
  half.at = {5 * clock_step_events};
  ASSERT_TRUE(log().save_checkpoint(run_clock_name(run_id), half).ok());
  EXPECT_EQ(found(), read) << "it is behind";
  ASSERT_TRUE(save_run_clock(log(), run_id).ok());
  EXPECT_EQ(log().load_checkpoint(run_clock_name(run_id)).value()->state, saved.state);
  half.at = {9 * clock_step_events};
  ASSERT_TRUE(log().save_checkpoint(run_clock_name(run_id), half).ok());
  EXPECT_EQ(found(), read) << "it does not say what its checkpoint says";
}

// Whoever believes a state that differs from its events believes something that did not happen.
TEST_F(LongRunTest, VerifyFoldsEveryStateThatIsSaved) {
  make(3, 10, 2 * step + 100);
  const auto findings = [&] {
    close();  // beside a writer a state may be of events that are still to come
    std::vector<std::string> all;
    const VerifyReport report = verify(open_reader()).value();
    for (const Finding& finding : report.findings) all.push_back(finding.what);
    open(OpenMode::write);
    return all;
  };
  ASSERT_TRUE(save_run(log(), run_id).ok());
  EXPECT_THAT(findings(), testing::IsEmpty());

  RunState other = fold_run(log(), run_id, {step}).value();
  other.name = "not from events";
  keep(step, run_view_identity(), to_bytes(other));
  Checkpoint clock = log().load_checkpoint(run_clock_name(run_id)).value().value();
  clock.state[8] ^= std::byte{1};
  ASSERT_TRUE(log().save_checkpoint(run_clock_name(run_id), clock).ok());
  keep(4 * step, run_view_identity(), to_bytes(other));
  const std::string differs = "differs from what its events add up to";
  EXPECT_THAT(findings(),
              testing::UnorderedElementsAre(
                  "the saved state `" + run_milestone_name(run_id, {step}) + "` " + differs,
                  "the saved state `" + run_clock_name(run_id) + "` " + differs,
                  testing::HasSubstr("`" + run_milestone_name(run_id, {4 * step}) +
                                     "` is of #65536, after")));

  keep(step, "run/0/old", to_bytes(other));
  keep(4 * step, "run/0/old", to_bytes(other));
  clock.identity = "clock/0";
  ASSERT_TRUE(log().save_checkpoint(run_clock_name(run_id), clock).ok());
  EXPECT_THAT(findings(), testing::IsEmpty()) << "of another version, so nobody uses them";
}

// Where the event that a state would be kept after is lost, that state is left out.
TEST_F(LongRunTest, ALostEventDoesNotEndTheStatesOnTheWay) {
  make(3, 10, 2 * step + 100);
  std::uint64_t lost = 0;
  {
    auto reader = log().read_stream(run_stream(run_id), {step}, {step});
    ASSERT_TRUE(reader.next());
    lost = reader.event().sequence.value;
  }
  close();
  {
    Rocks rocks = Rocks::open_writer(log_directory(store()), Rocks::Create::never).value();
    WriteSet set(rocks);
    set.remove(Family::log, format::log_key(load_page(rocks, {lost}).value().last()));
    ASSERT_TRUE(rocks.write(std::move(set), Durability::fsync).ok());
    ASSERT_TRUE(rocks.compact(Family::log).ok() && rocks.close().ok());
  }
  for (const auto& entry : std::filesystem::directory_iterator(log_directory(store())))
    if (entry.path().extension() == ".log") std::filesystem::remove(entry.path());
  const std::filesystem::path saved = directory() / "saved";
  const auto salvaged = salvage(store(), saved);
  ASSERT_TRUE(salvaged.ok()) << salvaged.error().what;
  ASSERT_GT(salvaged->events_lost, 0u);
  Log log = Log::open(saved, {.mode = OpenMode::write}).value();
  ASSERT_TRUE(save_run(log, run_id).ok());
  EXPECT_FALSE(log.load_checkpoint(run_milestone_name(run_id, {step})).value());
  EXPECT_TRUE(log.load_checkpoint(run_milestone_name(run_id, {2 * step})).value());
}

}  // namespace
}  // namespace pievt
