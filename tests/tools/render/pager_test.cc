#include "tools/render/pager.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <gmock/gmock.h>

namespace pievt::render {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const char* pievt_pager = nullptr;
const char* pager = nullptr;
const char* environment(const char* name) {
  if (std::string_view(name) == "PIEVT_PAGER") return pievt_pager;
  return std::string_view(name) == "PAGER" ? pager : nullptr;
}

std::vector<std::string> command(const char* ours, const char* everybodys) {
  pievt_pager = ours;
  pager = everybodys;
  return pager_command(environment);
}

TEST(PagerCommand, OursThenEverybodysThenLess) {
  EXPECT_THAT(command(nullptr, nullptr), ElementsAre("less", "-FRX"));
  EXPECT_THAT(command(nullptr, "most  -s"), ElementsAre("most", "-s"));
  EXPECT_THAT(command("less -R", "most"), ElementsAre("less", "-R"));
  EXPECT_THAT(command("", "most"), IsEmpty());
  EXPECT_THAT(command("cat", nullptr), IsEmpty());
  EXPECT_THAT(command("sed 's/a/b/' | less", nullptr),
              ElementsAre("/bin/sh", "-c", "sed 's/a/b/' | less"));
}

class PagerTest : public testing::Test {
 protected:
  PagerTest() {
    ::signal(SIGPIPE, SIG_IGN);
    std::string name = (fs::temp_directory_path() / "pievt-pager-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    fd_ = ::open((directory_ / "direct").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  }
  ~PagerTest() override {
    ::close(fd_);
    ::signal(SIGPIPE, SIG_DFL);
    fs::remove_all(directory_);
  }
  std::string content(const char* name) const {
    std::ifstream in(directory_ / name);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::vector<std::string> shell(const std::string& script) const {
    return {"/bin/sh", "-c", "cd '" + directory_.string() + "' && " + script};
  }

  fs::path directory_;
  int fd_ = -1;
};

TEST_F(PagerTest, TakesTheOutputFromWhereItBegins) {
  FdWriter out(fd_);
  out.line("before");
  Pager paging(out, shell("cat > paged"));
  paging.begin();
  paging.begin();
  out.line("within");
  paging.finish();
  EXPECT_EQ(content("direct"), "before\n");
  EXPECT_EQ(content("paged"), "within\n");
}

TEST_F(PagerTest, LeavingItEarlyIsQuiet) {
  FdWriter out(fd_);
  Pager paging(out, shell("true"));
  paging.begin();
  const std::string line(1 << 16, 'x');
  while (!out.done()) out.line(line);  // ends with the pager's death, not with ours
  EXPECT_EQ(out.error(), EPIPE);
  paging.finish();
  EXPECT_EQ(out.error(), 0);
}

TEST_F(PagerTest, WithoutOneOutputGoesOnAsBefore) {
  FdWriter out(fd_);
  Pager missing(out, {"/nonexistent/pager"});
  missing.begin();
  Pager none;
  none.begin();
  out.line("plain");
  missing.finish();
  out.flush();
  EXPECT_EQ(content("direct"), "plain\n");
}

}  // namespace
}  // namespace pievt::render
