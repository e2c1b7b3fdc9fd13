// Command lines and their exact output, as text: one behaviour a file. A file is a sequence of
//
//   # a comment
//   $ pievt version   a command for sh, in a fresh directory per file, with a clean environment
//   pievt 0.1.0       what it must print on stdout
//   ! pievt: ...      what it must print on stderr
//   ? 2               what it must exit with; 0 when left out
//
// `[..]` stands for any text within a line. A line of output that begins like one of these, or is
// empty, or begins with a backslash, has a backslash in front of it; an empty line of the file
// means nothing. SNAP_UPDATE=1 rewrites the files with what was printed and keeps lines whose holes
// fit.
//
// What several files need stands in bin/, on the PATH of all of them.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

Lines lines_of(const fs::path& path) {
  Lines lines;
  std::ifstream in(path, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
    if (in.eof()) lines.push_back("(no line feed at the end)");
  }
  return lines;
}

// Whether `line` is `pattern` with some text for each "[..]".
bool fits(std::string_view pattern, std::string_view line) {
  const std::size_t hole = pattern.find("[..]");
  if (hole == std::string_view::npos) return pattern == line;
  if (!line.starts_with(pattern.substr(0, hole))) return false;
  const std::string_view rest = pattern.substr(hole + 4);
  for (std::size_t from = hole; from <= line.size(); ++from) {
    if (fits(rest, line.substr(from))) return true;
  }
  return false;
}

std::string escaped(const std::string& line) {
  const bool special =
      line.empty() || std::string_view("\\#$!?").find(line[0]) != std::string_view::npos;
  return special ? "\\" + line : line;
}

// What was printed, in the notation of the file; lines whose holes fit are kept as `expected` has
// them.
Lines snapshot(const Lines& out, const Lines& err, int code, const Lines& expected) {
  Lines result;
  for (const std::string& line : out) result.push_back(escaped(line));
  for (const std::string& line : err) result.push_back("! " + line);
  if (code != 0) result.push_back("? " + std::to_string(code));
  for (std::size_t i = 0; i < std::min(result.size(), expected.size()); ++i) {
    if (fits(expected[i], result[i])) result[i] = expected[i];
  }
  return result;
}

struct Sandbox {
  fs::path root;
  Sandbox() {
    std::string name = (fs::temp_directory_path() / "pievt-cli-XXXXXX").string();
    root = ::mkdtemp(name.data());
    fs::create_directory(root / "home");
  }
  ~Sandbox() { fs::remove_all(root); }

  Lines run(const std::string& command, const Lines& expected) const {
    const std::string home = (root / "home").string();
    const std::string bin = fs::path(PIEVT_PROGRAM).parent_path().string();
    const std::string set_home = "HOME=" + home;
    const std::string path = "PATH=" PIEVT_CLI_TESTS "/bin:" + bin + ":/usr/bin:/bin";
    constexpr auto script = "cd \"$0\" && exec </dev/null >../stdout 2>../stderr && eval \"$1\"";
    const std::array argv = {
        "sh", "-c", script, home.c_str(), command.c_str(), static_cast<const char*>(nullptr)};
    const std::array envp = {set_home.c_str(), path.c_str(), "TZ=UTC", "LC_ALL=C.UTF-8",
                             static_cast<const char*>(nullptr)};
    pid_t child = -1;
    EXPECT_EQ(::posix_spawn(&child, "/bin/sh", nullptr, nullptr, const_cast<char**>(argv.data()),
                            const_cast<char**>(envp.data())),
              0);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return snapshot(lines_of(root / "stdout"), lines_of(root / "stderr"), code, expected);
  }
};

class CliFile : public testing::Test {
 public:
  explicit CliFile(fs::path file) : file_(std::move(file)) {}

  void TestBody() override {
    const Sandbox sandbox;
    const Lines source = lines_of(file_);
    std::string updated;
    const bool update = ::getenv("SNAP_UPDATE") != nullptr;
    for (std::size_t i = 0; i < source.size();) {
      const std::size_t at = i++;
      updated += source[at] + "\n";
      if (!source[at].starts_with("$ ")) {
        EXPECT_TRUE(source[at].empty() || source[at][0] == '#')
            << file_ << ":" << at + 1 << ": output without a command";
        continue;
      }
      Lines expected;
      while (i < source.size() && !source[i].empty() && source[i][0] != '#' &&
             !source[i].starts_with("$ ")) {
        expected.push_back(source[i++]);
      }
      const Lines printed = sandbox.run(source[at].substr(2), expected);
      for (const std::string& line : printed) updated += line + "\n";
      EXPECT_EQ(printed, update ? printed : expected)
          << file_ << ":" << at + 1 << ": " << source[at];
    }
    if (update) std::ofstream(file_, std::ios::binary) << updated;
  }

 private:
  fs::path file_;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(PIEVT_CLI_TESTS)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    testing::RegisterTest("Cli", file.stem().c_str(), nullptr, nullptr, file.c_str(), 1,
                          [file]() -> CliFile* { return new CliFile(file); });
  }
  if (files.empty()) return 1;
  return RUN_ALL_TESTS();
}
