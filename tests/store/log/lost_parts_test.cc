// Stores of which a part is gone: whatever is left of one is never taken for a new store, and what
// can be brought back is.
#include <algorithm>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/upkeep.h"
#include "tests/store/log/temp_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

mode_t mode_of(const fs::path& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 0777;
}

class LostPartsTest : public StoreTest {
 protected:
  void make_store() {
    open();
    append("a", {"one", "two"});
    close();
  }
  fs::path log_path() const { return store() / "log"; }

  // Of the log's files those whose names begin or end so.
  void remove_files(std::string_view begin, std::string_view end = {}) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(log_path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(begin) && name.ends_with(end)) found.push_back(entry.path());
    }
    for (const fs::path& file : found) fs::remove(file);
  }

  void expect_refused(OpenMode mode, std::string_view sentence) const {
    const auto opened = Log::open(store(), {.mode = mode});
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::corrupt);
    EXPECT_THAT(opened.error().what, HasSubstr(std::string(sentence)));
  }
};

TEST_F(LostPartsTest, EventsWithoutTheFileThatNamesThemAreBroughtBack) {
  make_store();
  remove_files("CURRENT");
  remove_files("MANIFEST");
  expect_refused(OpenMode::read, "pievt doctor --rebuild");
  open(OpenMode::write);
  EXPECT_THAT(mended(log()), HasSubstr("CURRENT"));
  EXPECT_THAT(texts("a"), ElementsAre("one", "two"));
}

TEST_F(LostPartsTest, AnEmptyLogThatHadEventsIsNoNewOne) {
  make_store();
  for (const bool is_there : {true, false}) {
    SCOPED_TRACE(is_there ? "empty" : "gone");
    fs::remove_all(log_path());
    if (is_there) fs::create_directory(log_path());
    for (const OpenMode mode : {OpenMode::read, OpenMode::write, OpenMode::create})
      expect_refused(mode, "it is empty now");
    EXPECT_EQ(fs::exists(log_path()), is_there) << "nothing is made in its place";
    EXPECT_TRUE(!is_there || fs::is_empty(log_path()));
  }
}

TEST_F(LostPartsTest, WithoutStoreItIsNotMadeAnew) {
  make_store();
  const fs::path kept = directory() / "kept";
  fs::rename(store() / "STORE", kept);
  for (const OpenMode mode : {OpenMode::read, OpenMode::write, OpenMode::create})
    expect_refused(mode, "pievt doctor --rebuild");
  EXPECT_FALSE(fs::exists(store() / "STORE"));
  const auto rebuilt = rebuild(store(), {});
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().what;
  open(OpenMode::write);
  EXPECT_THAT(texts("a"), ElementsAre("one", "two"));
}

TEST_F(LostPartsTest, NobodyElseMayRead) {
  const mode_t mask = ::umask(0);
  fs::create_directory(store());
  fs::permissions(store(), fs::perms(0755));
  make_store();
  ::umask(mask);
  EXPECT_EQ(mode_of(store()), 0700u) << "it was there before and open to everybody";
  EXPECT_EQ(mode_of(log_path()), 0700u);
  fs::permissions(log_path(), fs::perms(0755));
  open(OpenMode::write);
  EXPECT_EQ(mode_of(log_path()), 0700u) << "one that an earlier version has made";
}

}  // namespace
}  // namespace pievt
