// Who is named for a change, and by which evidence.
#include "supervisor/turn/attribution.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace pievt::supervisor {
namespace {

using schema::Attribution;
using schema::WriteZone;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Attributed : public ::testing::Test {
 protected:
  Attributed() {
    sight_.root = "/repo";
    sight_.who = {1, 1};
    sight_.rules.cwd = "/repo";
    sight_.names = {{{1, 1}, "a/1"}, {{2, 1}, "b/1"}, {{3, 1}, "c/1"}};
  }

  void change(const std::string& path) {
    entries_.push_back(std::make_unique<workspace::Entry>());
    entries_.back()->path = path;
    sight_.differences.push_back({workspace::Change::created, nullptr, entries_.back().get()});
  }
  void call(Who who, const std::string& path, std::uint64_t revision, bool failed = false) {
    sight_.calls.push_back({who, path, revision, "write", failed});
  }

  // "path: who [evidence] {candidates}"
  std::vector<std::string> rows() {
    std::vector<std::string> out;
    for (const auto& write : attribute(sight_))
      out.push_back(fmt::format(
          "{}: {} [{}] {{{}}}", write->path, schema::EnumNameAttribution(write->attribution),
          fmt::join(write->evidence, ","), fmt::join(write->candidates, ",")));
    return out;
  }

  Sight sight_;
  std::vector<std::unique_ptr<workspace::Entry>> entries_;
};

TEST_F(Attributed, AloneItWasTheOnlyOne) {
  change("x");
  sight_.ran["x"] = {{1, 1}};
  EXPECT_THAT(rows(), ElementsAre("x: only_one_running [] {}"));
}

TEST_F(Attributed, AToolCallThatNamesThePathIsEvidence) {
  change("dir/x");
  sight_.ran["dir/x"] = {{1, 1}, {2, 1}};
  call({1, 1}, "/repo/dir/x", 40);
  EXPECT_THAT(rows(), ElementsAre("dir/x: tool [40] {}"));
}

TEST_F(Attributed, WhatAnotherOneWasToldToWriteIsNotInThisList) {
  change("x");
  sight_.ran["x"] = {{1, 1}, {2, 1}};
  call({2, 1}, "/repo/x", 41);
  EXPECT_THAT(rows(), IsEmpty());
}

TEST_F(Attributed, OneOfSeveralIsAListAndNeverAName) {
  change("x");
  sight_.ran["x"] = {{2, 1}, {1, 1}, {2, 1}};
  EXPECT_THAT(rows(), ElementsAre("x: one_of [] {a/1,b/1}"));
}

TEST_F(Attributed, WhatIsNotKnownToHaveRunThenCountsByTheRecord) {
  change("x");
  sight_.others = {{3, 1}};
  EXPECT_THAT(rows(), ElementsAre("x: one_of [] {a/1,c/1}"));
  sight_.others.clear();
  EXPECT_THAT(rows(), ElementsAre("x: only_one_running [] {}"));
}

TEST_F(Attributed, InATreeOfItsOwnAllIsItsOwn) {
  sight_.own_tree = true;
  change("x");
  EXPECT_THAT(rows(), ElementsAre("x: own_tree [] {}"));
}

TEST_F(Attributed, OutsideOfTheTreeOnlyCallsTell) {
  call({1, 1}, "/elsewhere/y", 50);
  call({1, 1}, "/elsewhere/y", 51);
  call({1, 1}, "/elsewhere/failed", 52, true);
  call({2, 1}, "/elsewhere/others", 53);
  EXPECT_THAT(rows(), ElementsAre("/elsewhere/y: tool [50,51] {}"));
}

TEST_F(Attributed, AProcessThatWasSeenIsEvidenceButACallIsMore) {
  change("x");
  change("y");
  sight_.ran["x"] = sight_.ran["y"] = {{1, 1}, {2, 1}};
  sight_.processes["x"] = {{{{1, 1}, 811, "sed"}}, false};
  sight_.processes["y"] = {{{{1, 1}, 812, "pi"}}, false};
  call({1, 1}, "/repo/y", 44);
  EXPECT_THAT(rows(), ElementsAre("x: process [] {}", "y: tool [44] {}"));
  EXPECT_EQ(attribute(sight_)[0]->detail, "process 811, sed");
}

TEST_F(Attributed, AProcessIsEvidenceBesideAnotherOnesCall) {
  change("x");
  sight_.processes["x"] = {{{{1, 1}, 811, "sed"}, {{2, 1}, 900, "pi"}}, false};
  call({2, 1}, "/repo/x", 45);
  EXPECT_THAT(rows(), ElementsAre("x: process [] {}"));
}

TEST_F(Attributed, WhatOnlyAnotherOnesProcessWroteIsNotInThisList) {
  change("x");
  sight_.ran["x"] = {{1, 1}, {2, 1}};
  sight_.processes["x"] = {{{{2, 1}, 811, "sed"}}, false};
  EXPECT_THAT(rows(), IsEmpty());
  sight_.processes["x"].others = true;
  EXPECT_THAT(rows(), ElementsAre("x: one_of [] {a/1,b/1}")) << "it may have been more than one";
}

TEST_F(Attributed, WhatItsProcessesWroteOutsideIsToldOnceWithItsCalls) {
  sight_.outside = {{"/elsewhere/y", {{1, 1}, 811, "pi"}}, {"/elsewhere/z", {{1, 1}, 812, "cp"}}};
  call({1, 1}, "/elsewhere/y", 50);
  EXPECT_THAT(rows(), ElementsAre("/elsewhere/y: tool [50] {}", "/elsewhere/z: process [] {}"));
  EXPECT_EQ(attribute(sight_)[1]->detail, "outside of what is walked; process 812, cp");
  EXPECT_EQ(attribute(sight_)[1]->zone, WriteZone::outside_repository);
}

TEST_F(Attributed, WhatAProgramCallsItselfIsMadeReadable) {
  change("x");
  sight_.processes["x"] = {{{{1, 1}, 811, "a\xff\nb"}}, false};
  EXPECT_EQ(attribute(sight_)[0]->detail, "process 811, a\uFFFD");
}

TEST_F(Attributed, TheZoneOfAnotherIsSaid) {
  change("b/x");
  sight_.ran["b/x"] = {{1, 1}, {2, 1}};
  sight_.zones[{2, 1}] = {"/repo", {"b/"}, {}};
  const auto writes = attribute(sight_);
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_EQ(writes[0]->detail, "lies in the zone of b/1");
}

TEST(Zone, EveryPathHasOne) {
  const WriteRules rules{"/repo/job", {"out/"}, {"out/secret*"}};
  const auto zone = [&](const char* path) { return zone_of("/repo", path, rules); };
  EXPECT_EQ(zone("job/out/a"), WriteZone::inside);
  EXPECT_EQ(zone("job/out/secret.txt"), WriteZone::forbidden);
  EXPECT_EQ(zone("job/b"), WriteZone::outside);
  EXPECT_EQ(zone("out/a"), WriteZone::outside);
  EXPECT_EQ(zone("/elsewhere/a"), WriteZone::outside_repository);
  EXPECT_EQ(zone(".git/config"), WriteZone::git_administration);
  EXPECT_EQ(zone("job/sub/.git/hooks/x"), WriteZone::git_administration);
  EXPECT_EQ(zone_of("/repo", "x", {"/repo", {}, {}}), WriteZone::undeclared);
}

}  // namespace
}  // namespace pievt::supervisor
