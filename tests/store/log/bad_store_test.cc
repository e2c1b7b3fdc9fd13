// Stores that are not as they should be: missing, newer, garbage, full, taken, or with their helper
// files gone. Each is an error that says what to do, or does not matter; none is a crash or a loss.
#include <fstream>

#include <sys/mount.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/log_roles.h"
#include "tests/store/log/roles.h"
#include "tests/store/log/temp_store.h"

namespace pievt {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr OpenMode all_modes[] = {OpenMode::read, OpenMode::write, OpenMode::create};

void write_file(const std::filesystem::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class BadStoreTest : public StoreTest {
 protected:
  // What opening answers; "ok" where it works.
  std::string opening(OpenMode mode) const {
    const auto opened = Log::open(
        store(), {.mode = mode, .sharing = Sharing::sole, .wait = std::chrono::milliseconds(0)});
    return opened.ok() ? "ok" : std::string(name_of(opened.error().code));
  }
  std::string sentence(OpenMode mode) const {
    const auto opened = Log::open(
        store(), {.mode = mode, .sharing = Sharing::sole, .wait = std::chrono::milliseconds(0)});
    return opened.ok() ? "" : opened.error().what;
  }
  void make_store() {
    open();
    append("a", {"one", "two"});
    close();
  }
};

// ---- Where there is none -----------------------------------------------------------------------

TEST_F(BadStoreTest, ThereIsNone) {
  EXPECT_EQ(opening(OpenMode::read), "not_found");
  EXPECT_EQ(opening(OpenMode::write), "not_found");
  EXPECT_THAT(sentence(OpenMode::read), HasSubstr("pievt init"));
  EXPECT_FALSE(std::filesystem::exists(store())) << "asking makes nothing";
  std::filesystem::create_directory(store());
  EXPECT_EQ(opening(OpenMode::write), "not_found");
}

TEST_F(BadStoreTest, APartOfThePathIsAFile) {
  write_file(directory() / "file", "not a directory");
  for (const OpenMode mode : all_modes) {
    const auto opened = Log::open(directory() / "file" / "store", {.mode = mode});
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, mode == OpenMode::create ? Errc::io : Errc::not_found);
    EXPECT_THAT(opened.error().what, HasSubstr((directory() / "file" / "store").string()));
  }
}

TEST_F(BadStoreTest, ThePathMayHaveAnyCharacterAndLength) {
  const std::string long_name(200, 'n');
  for (const std::string& name :
       {std::string("with spaces and 'quotes'"), std::string("grün-日本-🗂"),
        std::string("-x\ny"), long_name}) {
    SCOPED_TRACE(name);
    const auto path = directory() / name;
    {
      auto made = Log::open(path, {.mode = OpenMode::create});
      ASSERT_TRUE(made.ok()) << made.error().what;
      ASSERT_TRUE(made->append("a", Expected::any(), {text_event("one")}).ok());
      const auto beside = Log::open(path);
      ASSERT_TRUE(beside.ok()) << beside.error().what;
      EXPECT_THAT(texts_of(*beside, "a"), ElementsAre("one"));
    }
    const auto again = Log::open(path, {.mode = OpenMode::write});
    ASSERT_TRUE(again.ok()) << again.error().what;
    EXPECT_THAT(texts_of(*again, "a"), ElementsAre("one"));
  }
}

// ---- STORE -------------------------------------------------------------------------------------

TEST_F(BadStoreTest, ALaterFormatIsTooNewAndLeftAlone) {
  make_store();
  std::string text = read_file(store() / "STORE");
  const std::size_t at = text.find("format: 1");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 9, "format: 2");
  write_file(store() / "STORE", text);
  for (const OpenMode mode : all_modes) {
    EXPECT_EQ(opening(mode), "too_new");
    EXPECT_THAT(sentence(mode), HasSubstr("newer pievt"));
  }
  EXPECT_EQ(read_file(store() / "STORE"), text);
}

TEST_F(BadStoreTest, AGarbageStoreFileIsCorruptAndLeftAlone) {
  make_store();
  const std::string whole = read_file(store() / "STORE");
  const std::vector<std::string> garbage = {"",
                                            "pievt store\n",
                                            "pievt store\nid: not-a-uuid\nformat: 1\n",
                                            whole.substr(0, whole.size() / 2),
                                            std::string(5000, '\0'),
                                            "#!/bin/sh\n" + whole,
                                            "pievt store\nformat: 99999999999999999999\n"};
  for (const std::string& text : garbage) {
    write_file(store() / "STORE", text);
    for (const OpenMode mode : all_modes) {
      EXPECT_EQ(opening(mode), "corrupt") << text;
      EXPECT_THAT(sentence(mode), HasSubstr("backup"));
    }
    EXPECT_EQ(read_file(store() / "STORE"), text) << "evidence is not touched";
  }
  write_file(store() / "STORE", whole);
  open(OpenMode::write);
  EXPECT_THAT(texts("a"), ElementsAre("one", "two"));
}

// ---- HEAD and LOCK -----------------------------------------------------------------------------

TEST_F(BadStoreTest, HeadIsOnlyAHint) {
  make_store();
  const std::string whole = read_file(store() / "HEAD");
  const std::vector<std::optional<std::string>> heads = {std::nullopt,
                                                         "",
                                                         "garbage",
                                                         std::string(4096, '\xff'),
                                                         std::string(4096, '\0'),
                                                         whole.substr(0, 100),
                                                         whole + whole};
  for (const auto& head : heads) {
    SCOPED_TRACE(head ? fmt::format("HEAD of {} bytes", head->size()) : "no HEAD");
    std::filesystem::remove(store() / "HEAD");
    if (head) write_file(store() / "HEAD", *head);
    EXPECT_THAT(texts_of(open_reader(), "a"), ElementsAre("one", "two"));
    reopen();
    EXPECT_THAT(texts("a"), ElementsAre("one", "two"));
    // Also under an open writer.
    std::filesystem::remove(store() / "HEAD");
    if (head) write_file(store() / "HEAD", *head);
    append("b", {"more"});
    EXPECT_EQ(open_reader().stream_head("b").value(), log().stream_head("b").value());
    close();
  }
}

TEST_F(BadStoreTest, EventsThatHeadPromisesAndTheLogLacksAreMissed) {
  make_store();
  const auto older = directory() / "older";
  std::filesystem::copy(store() / "log", older, std::filesystem::copy_options::recursive);
  open(OpenMode::write);
  const std::uint64_t before = log().head().value - 2;  // ActorDeclared, WriterOpened
  append("a", {"three"});
  close();
  std::filesystem::remove_all(store() / "log");
  std::filesystem::rename(older, store() / "log");

  EXPECT_EQ(opening(OpenMode::write), "corrupt");
  EXPECT_THAT(sentence(OpenMode::write),
              AllOf(HasSubstr("missing"), HasSubstr(fmt::format("@{}", before))));
  const Log reader = open_reader();
  EXPECT_EQ(reader.head().value, before);
  EXPECT_EQ(reader.info().missing, 4u);  // the two above, "three", WriterClosed
}

TEST_F(BadStoreTest, AWriterWhoseLockIsGoneTakesItAgain) {
  open();
  append("a", {"one"});
  std::filesystem::remove(store() / "LOCK");
  append("a", {"two"});
  EXPECT_TRUE(std::filesystem::exists(store() / "LOCK"));
  EXPECT_TRUE(log().close().ok());
  open(OpenMode::write);
  append("a", {"three"});
  EXPECT_THAT(texts("a"), ElementsAre("one", "two", "three"));
}

TEST_F(BadStoreTest, AWriterWhoseStoreWasTakenAwayWritesOnWhenItIsBack) {
  open();
  append("a", {"one"});
  const auto away = directory() / "away";
  std::filesystem::rename(store(), away);
  const auto refused = log().append("a", Expected::any(), {text_event("two")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::fenced);
  EXPECT_FALSE(std::filesystem::exists(store()));
  std::filesystem::rename(away, store());
  append("a", {"three"});
  EXPECT_THAT(texts("a"), ElementsAre("one", "three"));
  EXPECT_TRUE(log().close().ok());
}

TEST_F(BadStoreTest, AnotherProcessWrites) {
  make_store();
  {
    test::Actor holder("hold_store", {store().string(), "other-program"});
    ASSERT_EQ(holder.line(), "open");
    EXPECT_EQ(opening(OpenMode::write), "busy");
    EXPECT_THAT(sentence(OpenMode::write),
                AllOf(HasSubstr(fmt::format("other-program (process {})", holder.pid())),
                      HasSubstr(store().string())));
    const Log reader = open_reader();
    EXPECT_TRUE(reader.info().writer_alive);
    EXPECT_THAT(texts_of(reader, "a"), ElementsAre("one", "two"));
    holder.let_go();
    EXPECT_EQ(holder.wait(), 0);
  }
  open(OpenMode::write);
  append("a", {"three"});
}

// ---- No room -----------------------------------------------------------------------------------

// A file that may not grow is how a full disk looks to the writer, and needs no privileges.
TEST_F(BadStoreTest, AFullDiskRefusesAndLosesNothing) {
  make_store();
  for (const int bytes : {64 << 10, 300'000, 1 << 20}) {
    SCOPED_TRACE(bytes);
    open(OpenMode::write);
    const std::size_t before = texts("work").size();
    close();
    test::Actor writer("append_until_full", {store().string(), std::to_string(bytes)});
    std::size_t acked = 0;
    std::string line = writer.line();
    for (; line.starts_with("acked "); line = writer.line()) ++acked;
    EXPECT_THAT(line, AnyOf("refused io", "refused no_space"));
    EXPECT_GT(acked, 5u);
    EXPECT_THAT(writer.line(), AnyOf("again io", "again no_space"));
    ASSERT_EQ(writer.line(), "open") << "with room again";
    EXPECT_THAT(writer.line(), HasSubstr("acked "));
    EXPECT_EQ(writer.line(), "closed");
    EXPECT_EQ(writer.wait(), 0);

    open(OpenMode::write);
    const auto there = texts("work");
    // The one that was refused may be there, like any append that was not acknowledged.
    EXPECT_THAT(there.size() - before, AnyOf(acked + 1, acked + 2));
    for (std::size_t i = 0; i < acked; ++i) {
      EXPECT_TRUE(there[before + i].starts_with(std::to_string(i) + " ")) << i;
    }
    const Status chain = test::verify_chain(log());
    EXPECT_TRUE(chain.ok()) << chain.error().what;
    close();
  }
}

// A disk that is full in truth, where a file system may be mounted.
class SmallDisk {
 public:
  explicit SmallDisk(std::filesystem::path where) : where_(std::move(where)) {
    std::filesystem::create_directories(where_);
    mounted_ = ::mount("tmpfs", where_.c_str(), "tmpfs", 0, "size=4m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(where_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  bool grow() const {
    return ::mount("tmpfs", where_.c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0;
  }

 private:
  std::filesystem::path where_;
  bool mounted_ = false;
};

TEST_F(BadStoreTest, ASmallFileSystemThatIsFullRefusesAndLosesNothing) {
  const SmallDisk disk(directory() / "small");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs privileges";
  const auto path = directory() / "small" / "store";
  const std::string filler(20'000, 'x');
  std::size_t acked = 0;
  {
    auto log = Log::open(path, {.mode = OpenMode::create});
    ASSERT_TRUE(log.ok()) << log.error().what;
    for (;; ++acked) {
      ASSERT_LT(acked, 1000u) << "4 MiB never fill up";
      const auto done =
          log->append("work", Expected::any(), {text_event(fmt::format("{} {}", acked, filler))});
      if (done.ok()) continue;
      EXPECT_THAT(name_of(done.error().code), AnyOf("no_space", "io")) << done.error().what;
      break;
    }
    EXPECT_FALSE(log->append("work", Expected::any(), {text_event("x")}).ok());
  }
  EXPECT_GT(acked, 10u);
  ASSERT_TRUE(disk.grow());
  auto log = Log::open(path, {.mode = OpenMode::write});
  ASSERT_TRUE(log.ok()) << log.error().what;
  EXPECT_GE(texts_of(*log, "work").size(), acked);
  EXPECT_TRUE(test::verify_chain(*log).ok());
  EXPECT_TRUE(log->append("work", Expected::any(), {text_event("goes on")}).ok());
}

}  // namespace
}  // namespace pievt
