// The words people use for runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"

namespace pievt {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Planned {
  const char* run_id;
  const char* name;
  schema::RunEnding ending;
};

RunList list_of(std::initializer_list<Planned> runs) {
  RunList list;
  for (const Planned& planned : runs) {
    auto run = std::make_unique<RunSummary>();
    run->run_id = planned.run_id;
    run->name = planned.name;
    run->ending = planned.ending;
    run->phase = planned.ending == schema::RunEnding::unknown ? state::RunPhase::running
                                                              : state::RunPhase::finished;
    list.runs.push_back(std::move(run));
  }
  return list;
}

const RunList& runs() {
  static const RunList list = list_of({{"20240601-aaa111", "nightly", schema::RunEnding::failed},
                                       {"20240601-abc222", "nightly", schema::RunEnding::succeeded},
                                       {"20240602-bcd333", "review", schema::RunEnding::failed},
                                       {"20240603-cde444", "review", schema::RunEnding::unknown},
                                       {"20240603-def555", "", schema::RunEnding::succeeded}});
  return list;
}

std::string resolved(std::string_view word) {
  const auto run = resolve_run(runs(), word);
  return run.ok() ? *run : std::string(name_of(run.error().code));
}

TEST(ResolveRun, EveryWordMeansWhatTheManualSays) {
  struct Row {
    const char* word;
    const char* meaning;
  };
  constexpr Row rows[] = {
      {"last", "20240603-def555"},
      {"last~0", "20240603-def555"},
      {"last~1", "20240603-cde444"},
      {"last~4", "20240601-aaa111"},
      {"last~5", "not_found"},
      {"last~", "invalid"},
      {"last~-1", "invalid"},
      {"last~1x", "invalid"},
      {"last~99999999999999999999", "invalid"},
      {"last:failed", "20240602-bcd333"},
      {"running", "20240603-cde444"},
      {"20240601-aaa111", "20240601-aaa111"},  // a whole id
      {"20240602", "20240602-bcd333"},         // a prefix only one has
      {"20240601", "invalid"},                 // one that two have
      {"abc222", "20240601-abc222"},           // the part behind the last dash
      {"ab", "20240601-abc222"},               // and a prefix of that
      {"a", "invalid"},
      {"nightly", "20240601-abc222"},  // a plan's name: its latest run
      {"review", "20240603-cde444"},
      {"nightl", "not_found"},
      {"20240601-aaa1111", "not_found"},
      {"", "not_found"},
  };
  for (const Row& row : rows) EXPECT_EQ(resolved(row.word), row.meaning) << row.word;
}

TEST(ResolveRun, AnAmbiguousWordListsWhatItFits) {
  const auto run = resolve_run(runs(), "20240601");
  ASSERT_FALSE(run.ok());
  EXPECT_THAT(run.error().what, AllOf(HasSubstr("20240601-aaa111"), HasSubstr("20240601-abc222"),
                                      Not(HasSubstr("bcd333"))));
}

TEST(ResolveRun, AnUnknownWordOffersTheNearest) {
  const auto by_id = resolve_run(runs(), "20240602-bxx");
  ASSERT_FALSE(by_id.ok());
  EXPECT_THAT(by_id.error().what, HasSubstr("nearest: 20240602-bcd333"));
  const auto by_tail = resolve_run(runs(), "cdx");
  ASSERT_FALSE(by_tail.ok());
  EXPECT_THAT(by_tail.error().what, HasSubstr("nearest: 20240603-cde444"));
  const auto by_name = resolve_run(runs(), "reviwe");
  ASSERT_FALSE(by_name.ok());
  EXPECT_THAT(by_name.error().what, testing::EndsWith("nearest: review"));
}

TEST(ResolveRun, WhereNothingIsNearNothingIsOffered) {
  for (const char* word : {"nothing-like-it", "x", "zzz"}) {
    const auto run = resolve_run(runs(), word);
    ASSERT_FALSE(run.ok());
    EXPECT_THAT(run.error().what, testing::Not(HasSubstr("nearest"))) << word;
  }
}

TEST(ResolveRun, AnEmptyStoreHasNoRunByAnyName) {
  const RunList none;
  for (const char* word : {"last", "last~1", "last:failed", "running", "x", ""}) {
    const auto run = resolve_run(none, word);
    ASSERT_FALSE(run.ok()) << word;
    EXPECT_EQ(run.error().code, Errc::not_found) << word;
  }
}

TEST(ResolveRun, AnExactIdWinsOverNamesAndPrefixes) {
  const RunList list = list_of(
      {{"abc", "x", schema::RunEnding::succeeded}, {"abcd", "abc", schema::RunEnding::succeeded}});
  EXPECT_EQ(resolve_run(list, "abc").value(), "abc");
}

}  // namespace
}  // namespace pievt
