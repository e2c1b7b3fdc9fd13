// The laws of projections, asked of every row of all_views and of the state of a run: folding is a
// function of the events, a saved state is a shortcut that changes nothing, and a damaged one is as
// good as none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "store/log/log_impl.h"
#include "store/views/all.h"
#include "store/views/run_view.h"
#include "tests/store/log/temp_store.h"
#include "tests/store/model/run_fixture.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

constexpr const char* run_ids[] = {"20240601-aaa111", "20240602-bbb222", "20240603-ccc333"};

NewEvent used(std::uint32_t job, std::uint32_t attempt) {
  UsageRecordedT payload;
  payload.reported = Reported::reported;
  payload.usage = std::make_unique<UsageT>();
  payload.usage->total_tokens = 1000 * job + attempt;
  payload.usage->cost_nanodollars = 5;
  return event(std::move(payload), {.job = job, .attempt = attempt});
}

// A run of two jobs: the first ends at once, the second after a retry; one probe, one gate.
std::vector<NewEvent> story(const std::string& run_id, RunEnding ending) {
  std::vector<NewEvent> events = {planned(run_id, "nightly"), declared(1), declared(2),
                                  event(RunStartedT{})};
  events.push_back(of_attempt<AttemptLaunchRequestedT>(0, 1));
  events.push_back(of_attempt<AttemptLaunchFailedT>(0, 1));
  events.push_back(of_attempt<AttemptClassifiedT>(0, 1));
  for (const auto& [job, attempt] : {std::pair(1u, 1u), std::pair(2u, 1u), std::pair(2u, 2u)}) {
    events.push_back(of_attempt<AttemptLaunchRequestedT>(job, attempt));
    events.push_back(of_attempt<AttemptLaunchedT>(job, attempt));
    events.push_back(used(job, attempt));
    events.push_back(of_attempt<TurnEndedT>(job, attempt));
    events.push_back(of_attempt<AttemptExitedT>(job, attempt));
    events.push_back(of_attempt<AttemptClassifiedT>(job, attempt));
    events.push_back(event(JobJudgedT{}, {.job = job, .attempt = attempt}));
    if (job == 2 && attempt == 1) events.push_back(event(JobRetryScheduledT{}, {.job = 2}));
  }
  events.push_back(event(GateOpenedT{}, {.job = 1, .attempt = 1, .gate = 1}));
  events.push_back(event(GateDecidedT{}, {.job = 1, .attempt = 1, .gate = 1}));
  events.push_back(event(RunPausedT{}));
  events.push_back(event(RunResumedT{}));
  events.push_back(finished(1));
  events.push_back(
      finished(2, ending == RunEnding::failed ? JobStatus::failed : JobStatus::succeeded));
  RunFinishedT end;
  end.ending = ending;
  events.push_back(event(std::move(end)));
  return events;
}

class ViewsTest : public StoreTest {
 protected:
  // Three runs whose events interleave, one event an append; the last one has not ended.
  void SetUp() override {
    open();
    std::vector<std::vector<NewEvent>> stories = {story(run_ids[0], RunEnding::succeeded),
                                                  story(run_ids[1], RunEnding::failed),
                                                  story(run_ids[2], RunEnding::succeeded)};
    stories[2].pop_back();
    for (std::size_t at = 0; at < stories[0].size(); ++at) {
      for (std::size_t run = 0; run < stories.size(); ++run) {
        if (at >= stories[run].size()) continue;
        const auto done =
            log().append(run_stream(run_ids[run]), Expected::any(), {std::move(stories[run][at])},
                         {.id = {}, .durability = Durability::memory});
        ASSERT_TRUE(done.ok()) << done.error().what;
      }
    }
  }

  std::vector<std::byte> folded(const ViewRow& row, Sequence to = {}) {
    const auto view = row.make();
    EXPECT_TRUE(fold_tail(*view, log(), {}, to).ok());
    return view->save();
  }

  // Changes stored bytes below all checks of the store but the checkpoint's own.
  void damage_checkpoint(const std::string& name, std::size_t at) {
    Rocks& rocks = log().impl().rocks();
    std::string value = *rocks.get(Family::projections, name).value();
    ASSERT_FALSE(value.empty());
    value[at % value.size()] = static_cast<char>(value[at % value.size()] ^ 0x20);
    store_checkpoint(name, value);
  }
  void store_checkpoint(const std::string& name, const std::string& value) {
    WriteSet set(log().impl().rocks());
    set.put(Family::projections, name, value);
    ASSERT_TRUE(log().impl().rocks().write(std::move(set), Durability::memory).ok());
  }
};

TEST_F(ViewsTest, FoldingTwiceGivesTheSameBytes) {
  for (const ViewRow& row : all_views) {
    SCOPED_TRACE(std::string(row.name));
    const auto once = folded(row);
    EXPECT_FALSE(once.empty());
    EXPECT_EQ(once, folded(row));
    EXPECT_NE(once, folded(row, {log().head().value / 2})) << "the view sees nothing";
  }
}

TEST_F(ViewsTest, ASavedStateAndTheTailAreTheWhole) {
  for (const ViewRow& row : all_views) {
    SCOPED_TRACE(std::string(row.name));
    const auto whole = folded(row);
    for (std::uint64_t at = 0; at <= log().head().value; ++at) {
      const auto first = row.make();
      if (at > 0) {
        ASSERT_TRUE(fold_tail(*first, log(), {}, {at}).ok());
      }
      ASSERT_TRUE(save_projection(log(), row.name, *first, {at}).ok());
      const auto second = row.make();
      const auto reached = catch_up(*second, log(), row.name);
      ASSERT_TRUE(reached.ok()) << reached.error().what;
      EXPECT_EQ(*reached, log().head());
      ASSERT_EQ(second->save(), whole) << "saved at @" << at;
    }
  }
}

TEST_F(ViewsTest, AStateThatIsTooNewIsNotUsedForThePast) {
  for (const ViewRow& row : all_views) {
    const auto view = row.make();
    ASSERT_TRUE(catch_up(*view, log(), row.name).ok());
    ASSERT_TRUE(save_projection(log(), row.name, *view, log().head()).ok());
    const Sequence past{log().head().value / 2};
    const auto then = row.make();
    EXPECT_EQ(catch_up(*then, log(), row.name, past).value(), past);
    EXPECT_EQ(then->save(), folded(row, past));
  }
}

TEST_F(ViewsTest, ADamagedStateIsAsGoodAsNone) {
  for (const ViewRow& row : all_views) {
    SCOPED_TRACE(std::string(row.name));
    const auto whole = folded(row);
    const auto caught_up = [&] {
      const auto view = row.make();
      EXPECT_TRUE(catch_up(*view, log(), row.name).ok());
      return view->save();
    };
    const auto half = row.make();
    ASSERT_TRUE(fold_tail(*half, log(), {}, {log().head().value / 2}).ok());
    const auto save = [&] {
      ASSERT_TRUE(save_projection(log(), row.name, *half, {log().head().value / 2}).ok());
    };
    save();
    const std::string name(row.name);
    const std::size_t size = log().impl().rocks().get(Family::projections, name).value()->size();
    for (std::size_t at = 0; at < size; at += 5) {
      save();
      damage_checkpoint(name, at);
      ASSERT_EQ(caught_up(), whole) << "byte " << at;
    }
    for (const std::size_t length : {std::size_t{0}, std::size_t{3}, std::size_t{15}, size / 2}) {
      store_checkpoint(name, std::string(length, 'x'));
      ASSERT_EQ(caught_up(), whole) << length << " bytes";
    }
    // Whole, but of another version of the code, or not a state at all.
    ASSERT_TRUE(log().save_checkpoint(name, {"another/1", {7}, half->save()}).ok());
    EXPECT_EQ(caught_up(), whole);
    ASSERT_TRUE(log().save_checkpoint(name, {half->identity(), {7}, {std::byte{1}}}).ok());
    EXPECT_EQ(caught_up(), whole);
    ASSERT_TRUE(log().save_checkpoint(name, {half->identity(), {1'000'000}, half->save()}).ok());
    EXPECT_EQ(caught_up(), whole);
  }
}

// ---- The state of one run ----------------------------------------------------------------------

TEST_F(ViewsTest, ARunFoldsToTheSameBytesFromAnySavedState) {
  const std::string run_id = run_ids[1];
  const auto whole = to_bytes(fold_run(log(), run_id).value());
  EXPECT_EQ(whole, to_bytes(fold_run(log(), run_id).value()));
  const std::uint64_t last = log().stream_head(run_stream(run_id)).value().value;
  for (std::uint64_t at = 1; at <= last; ++at) {
    const auto past = to_bytes(fold_run(log(), run_id, {at}).value());
    ASSERT_TRUE(
        log().save_checkpoint(run_view_name(run_id), {run_view_identity(), {at}, past}).ok());
    ASSERT_EQ(to_bytes(load_run(log(), run_id).value()), whole) << "saved at #" << at;
    ASSERT_EQ(to_bytes(load_run(log(), run_id, {at}).value()), past);
    const Revision earlier{std::max<std::uint64_t>(1, at / 2)};
    ASSERT_EQ(to_bytes(load_run(log(), run_id, earlier).value()),
              to_bytes(fold_run(log(), run_id, earlier).value()));
  }
}

TEST_F(ViewsTest, ADamagedRunStateIsAsGoodAsNone) {
  const std::string run_id = run_ids[0];
  const std::string name = run_view_name(run_id);
  const auto whole = to_bytes(fold_run(log(), run_id).value());
  const auto half = to_bytes(fold_run(log(), run_id, {9}).value());
  for (std::size_t at = 0; at < half.size(); at += 11) {
    ASSERT_TRUE(log().save_checkpoint(name, {run_view_identity(), {9}, half}).ok());
    damage_checkpoint(name, at);
    ASSERT_EQ(to_bytes(load_run(log(), run_id).value()), whole) << "byte " << at;
  }
  // A state that does not say what its checkpoint says.
  ASSERT_TRUE(log().save_checkpoint(name, {run_view_identity(), {8}, half}).ok());
  EXPECT_EQ(to_bytes(load_run(log(), run_id).value()), whole);
  ASSERT_TRUE(log().save_checkpoint(name, {"run/0/old", {9}, half}).ok());
  EXPECT_EQ(to_bytes(load_run(log(), run_id).value()), whole);
}

TEST_F(ViewsTest, ViewsThatAWriterSavesAreUsedByReaders) {
  const auto runs = load_runs(log()).value();
  const auto run = to_bytes(load_run(log(), run_ids[0]).value());
  ASSERT_TRUE(save_views(log(), run_ids[0]).ok());
  reopen();
  const Log reader = open_reader();
  EXPECT_TRUE(reader.load_checkpoint(run_view_name(run_ids[0])).value().has_value());
  for (const ViewRow& row : all_views) {
    EXPECT_TRUE(reader.load_checkpoint(row.name).value().has_value()) << row.name;
  }
  EXPECT_EQ(to_bytes(load_run(reader, run_ids[0]).value()), run);
  EXPECT_EQ(load_runs(reader).value().runs.size(), runs.runs.size());
}

TEST_F(ViewsTest, TheListAgreesWithTheRuns) {
  const RunList list = load_runs(log()).value();
  ASSERT_EQ(list.runs.size(), std::size(run_ids));
  for (std::size_t i = 0; i < list.runs.size(); ++i) {
    const RunSummary& line = *list.runs[i];
    EXPECT_EQ(line.run_id, run_ids[i]) << "in the order they were planned";
    const RunState run = load_run(log(), line.run_id).value();
    EXPECT_EQ(line.phase, run.phase);
    EXPECT_EQ(line.ending, run.ending);
    EXPECT_EQ(line.revision, run.revision);
    EXPECT_EQ(line.jobs, run.jobs.size());
    EXPECT_EQ(line.started_ns, run.started_ns);
    EXPECT_EQ(line.finished_ns, run.finished_ns);
    EXPECT_EQ(line.usage->total_tokens, run.usage->total_tokens);
    EXPECT_EQ(line.usage->requests, run.usage->requests);
    const auto succeeded = std::ranges::count_if(
        run.jobs, [](const auto& job) { return job->status == JobStatus::succeeded; });
    EXPECT_EQ(line.succeeded, static_cast<std::uint32_t>(succeeded));
    EXPECT_EQ(line.succeeded + line.failed, run.jobs.size());
    std::size_t attempts = 0;
    for (const auto& job : run.jobs) attempts += job->attempts.size();
    EXPECT_EQ(line.attempts, attempts) << "probes are not counted";
  }
}

TEST_F(ViewsTest, ARunThatIsNotThereIsNotFound) {
  const auto none = load_run(log(), "nowhere");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::not_found);
}

TEST_F(ViewsTest, MomentsBecomeRevisions) {
  const std::string run_id = run_ids[1];
  auto reader = log().read_stream(run_stream(run_id), {});
  while (reader.next()) {
    const EventView& at = reader.event();
    EXPECT_EQ(revision_at(log(), run_id, at.sequence).value(), at.revision());
    EXPECT_EQ(revision_at(log(), run_id, Sequence{at.sequence.value - 1}).value().value,
              at.revision().value - 1);
    EXPECT_GE(revision_at(log(), run_id, at.time_ns()).value(), at.revision());
  }
  EXPECT_EQ(revision_at(log(), run_id, std::uint64_t{1}).value().value, 0u);
}

}  // namespace
}  // namespace pievt
