// Where copies are made: who works there is left alone, what a cut left is gone on with, and
// nothing is said to be in a place where it is not.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/upkeep/stage.h"
#include "tests/store/upkeep/sample_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PlaceTest : public SampleStoreTest {
 protected:
  void SetUp() override { make_runs(); }
  fs::path salvaging() const { return directory() / "copy.salvaging"; }
  fs::path restoring() const { return directory() / "copy.restoring"; }
};

TEST_F(PlaceTest, ALinkThatLeadsNowhereIsNoPlace) {
  fs::create_symlink(directory() / "not" / "there", copy());
  for (const fs::path& to : {copy(), copy() / ""}) {
    EXPECT_EQ(restore(store(), to).error().code, Errc::invalid);
    EXPECT_EQ(salvage(store(), to).error().code, Errc::invalid);
  }
  EXPECT_EQ(backup(open_reader(), copy()).error().code, Errc::invalid);
  EXPECT_FALSE(fs::exists(restoring()));
  EXPECT_FALSE(fs::exists(salvaging()));
  // One that leads to an empty directory is that directory.
  fs::create_directories(directory() / "not" / "there");
  const auto done = restore(store(), copy());
  ASSERT_TRUE(done.ok()) << done.error().what;
  EXPECT_TRUE(fs::exists(directory() / "not" / "there" / "STORE"));
}

TEST_F(PlaceTest, AStageThatIsALinkIsNotFollowed) {
  fs::create_directory(directory() / "other");
  fs::create_directory_symlink(directory() / "other", restoring());
  EXPECT_EQ(restore(store(), copy()).error().code, Errc::invalid);
  EXPECT_TRUE(fs::is_empty(directory() / "other"));
}

TEST_F(PlaceTest, WhoeverWorksInAStageIsLeftAlone) {
  {
    const auto other = Stage::take(salvaging(), "other");
    ASSERT_TRUE(other.ok()) << other.error().what;
    std::ofstream(salvaging() / "SALVAGING") << "x";
    EXPECT_EQ(Stage::take(salvaging(), "another").error().code, Errc::busy);
    for (const Preview preview : {Preview::no, Preview::yes}) {
      const auto done = salvage(store(), copy(), {.preview = preview, .progress = {}});
      ASSERT_FALSE(done.ok());
      EXPECT_EQ(done.error().code, Errc::busy);
      EXPECT_THAT(done.error().what, HasSubstr("other"));
    }
    EXPECT_TRUE(fs::exists(salvaging() / "SALVAGING"));
  }
  ASSERT_TRUE(salvage(store(), copy()).ok());
  EXPECT_FALSE(fs::exists(salvaging()));
  EXPECT_FALSE(fs::exists(copy() / "SALVAGING"));
}

TEST_F(PlaceTest, TwoRestoresToOnePlaceDoNotMix) {
  {
    const auto other = Stage::take(restoring(), "other");
    ASSERT_TRUE(other.ok());
    EXPECT_EQ(restore(store(), copy()).error().code, Errc::busy);
    EXPECT_FALSE(fs::exists(restoring() / "BACKUP"));
  }
  ASSERT_TRUE(restore(store(), copy()).ok());
}

// As where the disk was full before there was a marker.
TEST_F(PlaceTest, AStageWithoutItsMarkerIsGoneOnWith) {
  for (const auto& [stage, marker] :
       {std::pair(salvaging(), "SALVAGING"), std::pair(restoring(), "BACKUP")}) {
    fs::create_directory(stage);
    std::ofstream(stage / "LOCK").flush();
    std::ofstream(stage / (std::string(marker) + ".4711.tmp")).flush();
  }
  const auto saved = salvage(store(), copy());
  ASSERT_TRUE(saved.ok()) << saved.error().what;
  fs::remove_all(copy());
  const auto restored = restore(store(), copy());
  ASSERT_TRUE(restored.ok()) << restored.error().what;
  // What somebody else has there is not ours to remove.
  fs::remove_all(copy());
  fs::create_directory(salvaging());
  std::ofstream(salvaging() / "letter") << "x";
  EXPECT_EQ(salvage(store(), copy()).error().code, Errc::invalid);
  EXPECT_TRUE(fs::exists(salvaging() / "letter"));
  EXPECT_FALSE(fs::exists(salvaging() / "LOCK"));
}

// As where a directory above may not be searched.
TEST_F(PlaceTest, WhatCannotBeLookedAtIsNotSaidToBeMissing) {
  fs::create_symlink("loop", directory() / "loop");
  EXPECT_EQ(salvage(directory() / "loop", copy()).error().code, Errc::io);
  EXPECT_EQ(rebuild(directory() / "loop").error().code, Errc::io);
  EXPECT_EQ(salvage(directory() / "nothing", copy()).error().code, Errc::not_found);
}

}  // namespace
}  // namespace pievt
