// Full-screen views on a real terminal: keys work, 40 columns are enough, and the terminal is left
// as it was found, also when a signal ends the program.
#include <csignal>
#include <string>

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "pievt/query.h"
#include "tests/store/log/temp_store.h"
#include "tests/store/model/run_fixture.h"
#include "tools/render/width.h"

namespace pievt {
namespace {

constexpr std::string_view leave = "\x1b[?25h\x1b[?1049l";

class PtyTest : public StoreTest {
 protected:
  void SetUp() override {
    open();
    std::vector<NewEvent> events = {planned("r-1", "plan"), declared(1, "intro")};
    events.push_back(event(schema::RunStartedT{}));
    events.push_back(of_attempt<schema::AttemptLaunchRequestedT>(1, 1));
    events.push_back(of_attempt<schema::AttemptLaunchedT>(1, 1));
    const auto done = log().append(run_stream("r-1"), Expected::any(), std::move(events));
    ASSERT_TRUE(done.ok()) << done.error().what;
    close();
  }
  void TearDown() override {
    if (child_ > 0) ::kill(child_, SIGKILL), ::waitpid(child_, nullptr, 0);
    if (terminal_ >= 0) ::close(terminal_);
  }

  void start(std::vector<std::string> words) {
    winsize size{};
    size.ws_col = 40;
    size.ws_row = 12;
    words.insert(words.begin(), PIEVT_PROGRAM);
    words.push_back("--store=" + store().string());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    child_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    ASSERT_GE(child_, 0);
    if (child_ == 0) {
      ::setenv("TERM", "xterm", 1);
      ::unsetenv("COLUMNS");
      ::execv(PIEVT_PROGRAM, argv.data());
      ::_exit(127);
    }
  }

  // Reads until `text` was seen, or nothing can come any more.
  bool see(std::string_view text) {
    while (seen_.find(text, from_) == std::string::npos) {
      pollfd wait{terminal_, POLLIN, 0};
      constexpr int patience_ms = 30'000;
      char bytes[4096];
      if (::poll(&wait, 1, patience_ms) <= 0) return false;
      const ssize_t size = ::read(terminal_, bytes, sizeof(bytes));
      if (size <= 0) return false;
      seen_.append(bytes, static_cast<std::size_t>(size));
    }
    from_ = seen_.find(text, from_) + text.size();
    return true;
  }
  void press(std::string_view keys) {
    ASSERT_EQ(::write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  int wait_status() {
    while (see("there is no such text")) continue;
    int status = 0;
    EXPECT_EQ(::waitpid(child_, &status, 0), child_);
    child_ = -1;
    return status;
  }
  bool echoes() {
    termios now{};
    return ::tcgetattr(terminal_, &now) == 0 && (now.c_lflag & ECHO) != 0 &&
           (now.c_lflag & ICANON) != 0;
  }

  std::string seen_;

 private:
  int terminal_ = -1;
  pid_t child_ = -1;
  std::size_t from_ = 0;

 protected:
  pid_t child() const { return child_; }
};

TEST_F(PtyTest, SteppingGoesOnAndBackByKeys) {
  start({"replay", "r-1", "--step", "-q"});
  ASSERT_TRUE(see("#1 of 5")) << seen_;
  press("n");
  ASSERT_TRUE(see("#2 of 5"));
  press("\x1b[C");  // the arrow to the right
  ASSERT_TRUE(see("#3 of 5"));
  press("p");
  ASSERT_TRUE(see("#2 of 5"));
  press("j4\r");
  ASSERT_TRUE(see("#4 of 5"));
  press("/launched\r");
  ASSERT_TRUE(see("#5 of 5"));
  press("q");
  const int status = wait_status();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_NE(seen_.find(leave), std::string::npos);
}

TEST_F(PtyTest, WatchFitsFortyColumns) {
  start({"watch", "r-1", "-q"});
  // The run has no supervisor any more, so one picture is all there is.
  const int status = wait_status();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_NE(seen_.find("intro"), std::string::npos) << seen_;
  EXPECT_NE(seen_.find(leave), std::string::npos);
}

TEST_F(PtyTest, ASignalLeavesTheTerminalAsItWas) {
  start({"watch", "-q"});
  ASSERT_TRUE(see("q quit")) << seen_;
  EXPECT_FALSE(echoes());
  ASSERT_EQ(::kill(child(), SIGTERM), 0);
  ASSERT_TRUE(see(leave)) << seen_;
  const int status = wait_status();
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(PtyTest, NoLineIsWiderThanTheTerminal) {
  start({"replay", "r-1", "--step", "-q"});
  ASSERT_TRUE(see("#1 of 5"));
  press("q");
  wait_status();
  // Between cursor movements and line ends, every piece fits.
  std::string line;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    if (seen_[i] == '\x1b' && i + 1 < seen_.size() && seen_[i + 1] == '[') {
      const std::size_t end = seen_.find_first_of("ABCDHJKhlm", i + 2);
      if (end == std::string::npos) break;
      if (seen_[end] != 'm') line.clear();
      i = end;
    } else if (seen_[i] == '\r' || seen_[i] == '\n') {
      EXPECT_LE(render::display_width(line), 40) << line;
      line.clear();
    } else {
      line += seen_[i];
    }
  }
}

}  // namespace
}  // namespace pievt
