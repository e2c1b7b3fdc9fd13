// From outside: a real writer under strace, of which one system call fails (EIO, ENOSPC) or is its
// last (SIGKILL). Whatever call it is, the store opens afterwards, has what was acknowledged, and
// verifies.
//
// First the writer runs once and strace notes its calls; those on the store are the targets, known
// by their number among the calls of their name in their thread. Then it runs once for each fault.
//
//   PIEVT_FAULTS=all            every call; by default a seeded sample
//   PIEVT_FAULTS=<n>            n runs
//   PIEVT_FAULT_ROW=<row>       one alone, as a failure prints it: call:fault:number
//   PIEVT_SEED=<n>              another sample
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/faults/judge.h"
#include "tests/store/seed.h"

namespace pievt::faults {
namespace {

constexpr int appends = 6;
constexpr std::array calls = {"write",     "pwrite64",  "fsync",  "fdatasync", "rename",
                              "unlink",    "unlinkat",  "openat", "open",      "mkdir",
                              "ftruncate", "fallocate", "link"};
constexpr std::array faults = {"error=EIO", "error=ENOSPC", "signal=KILL"};

std::size_t runs_wanted() {
  const char* asked = std::getenv("PIEVT_FAULTS");
  if (asked == nullptr) return 40;
  return std::string_view(asked) == "all" ? SIZE_MAX : std::strtoull(asked, nullptr, 10);
}

struct Target {
  std::string call;
  std::string fault;
  int number = 0;
  std::string row() const { return fmt::format("{}:{}:{}", call, fault, number); }
};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

/// One run of the writer in a directory of its own.
class WriterRun {
 public:
  explicit WriterRun(std::vector<std::string> strace_options) : scratch_(make_scratch()) {
    // A hang is a failure too (124).
    std::vector<std::string> words = {"timeout", "-k",  "5",  "60", "strace",
                                      "-f",      "-qq", "-y", "-o", trace().string()};
    for (std::string& option : strace_options) words.push_back(std::move(option));
    for (std::string word :
         {std::string(PIEVT_FAULT_WRITER), store().string(), std::to_string(appends)}) {
      words.push_back(std::move(word));
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    constexpr int flags = O_WRONLY | O_CREAT;
    ::posix_spawn_file_actions_addopen(&files, 1, (scratch_ / "said").c_str(), flags, 0600);
    ::posix_spawn_file_actions_addopen(&files, 2, (scratch_ / "errors").c_str(), flags, 0600);
    // Leaks cannot be looked for under ptrace; what a killed or failing program leaks is nothing.
    char options[] = "ASAN_OPTIONS=detect_leaks=0";
    std::string path = fmt::format("PATH={}", std::getenv("PATH"));
    char* const environment[] = {options, path.data(), nullptr};
    const int error =
        ::posix_spawnp(&pid_, "timeout", &files, nullptr, arguments.data(), environment);
    ::posix_spawn_file_actions_destroy(&files);
    if (error != 0) std::abort();
  }
  WriterRun(const WriterRun&) = delete;
  WriterRun& operator=(const WriterRun&) = delete;
  ~WriterRun() { std::filesystem::remove_all(scratch_); }

  /// Its exit code; 128 and the signal's number when it was killed.
  int wait() const {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::filesystem::path store() const { return scratch_ / "store"; }
  std::filesystem::path trace() const { return scratch_ / "trace"; }
  std::vector<std::string> said() const { return lines_of(scratch_ / "said"); }
  std::string errors() const {
    return fmt::format("{}", fmt::join(lines_of(scratch_ / "errors"), "\n"));
  }

 private:
  std::filesystem::path scratch_;
  pid_t pid_ = -1;
};

std::string all_calls() {
  return "trace=" + fmt::format("{}", fmt::join(calls, ","));
}

// `<tid> <call>(...`: which calls of the trace are on the store, and their numbers.
std::vector<Target> targets_of(const std::filesystem::path& trace, const std::string& store) {
  std::map<std::pair<std::string, std::string>, int> counts;
  std::vector<Target> targets;
  for (const std::string& line : lines_of(trace)) {
    const std::size_t space = line.find(' ');
    const std::size_t bracket = line.find('(');
    if (bracket == std::string::npos || line.find("resumed>") < bracket) continue;
    const std::size_t begin = line.find_first_not_of(' ', space);
    const std::string call = line.substr(begin, bracket - begin);
    if (std::ranges::find(calls, call) == calls.end()) continue;
    const int number = ++counts[{line.substr(0, space), call}];
    if (line.find(store) == std::string::npos) continue;
    for (const char* fault : faults) targets.push_back({call, fault, number});
  }
  return targets;
}

struct Said {
  std::size_t acknowledged = 0;
  bool opened = false;
  bool closed = false;
  std::size_t errors = 0;
};

Said understand(const std::vector<std::string>& lines) {
  Said said;
  for (const std::string& line : lines) {
    if (line.starts_with("acked ")) ++said.acknowledged;
    if (line.starts_with("error ")) ++said.errors;
    if (line == "open") said.opened = true;
    if (line == "closed") said.closed = true;
  }
  return said;
}

class SyscallFaults : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < appends; ++i) attempts_.push_back(numbered_attempt(i));
  }

  void expect_promises_kept(const WriterRun& run, int status, const Target& target) {
    const std::string errors = run.errors();
    // A number counts in every thread, and there it may be a write of the sanitizer, which asks the
    // kernel in this way whether memory may be read, and aborts at any answer that it does not
    // know. That is one more way to die; the store is judged all the same.
    if (errors.find("CHECK failed: sanitizer_posix") == std::string::npos) {
      EXPECT_EQ(errors.find("Sanitizer"), std::string::npos) << target.row() << "\n" << errors;
      EXPECT_THAT(status, testing::AnyOf(0, 1, 128 + SIGKILL))
          << "PIEVT_FAULT_ROW=" << target.row() << " ended otherwise\n"
          << errors;
    }
    const Said said = understand(run.said());
    if (!said.closed || said.errors > 0) ++struck_;
    const Judgement judgement =
        judge(run.store(), attempts_, {attempts_.size(), said.acknowledged, said.opened});
    EXPECT_TRUE(judgement.ok()) << judgement.wrong << "\nPIEVT_FAULT_ROW=" << target.row()
                                << "\n  the writer said: "
                                << fmt::format("{}", fmt::join(run.said(), ", "));
  }

  std::vector<Attempt> attempts_;
  std::size_t struck_ = 0;  // runs that were seen to be hit
};

TEST_F(SyscallFaults, WhicheverCallFailsNothingPromisedIsLost) {
  const std::uint64_t seed = test::seeds(1).front();
  SCOPED_TRACE(test::how_to_repeat(seed));
  std::mt19937_64 dice(seed);
  std::vector<Target> targets;
  {
    const WriterRun whole({"-e", all_calls()});
    const int status = whole.wait();
    if (status != 0) {
      // 127: the set-up has failed; only what a machine forbids is a reason to skip.
      if (status != 127 && understand(whole.said()).acknowledged == 0) {
        GTEST_SKIP() << "strace may not trace here (ptrace is forbidden): " << whole.errors();
      }
      FAIL() << whole.errors();
    }
    ASSERT_EQ(understand(whole.said()).acknowledged, std::size_t{appends});
    targets = targets_of(whole.trace(), whole.store().string());
  }
  ASSERT_GT(targets.size(), 200u);
  const std::size_t all = targets.size();
  if (const char* one = std::getenv("PIEVT_FAULT_ROW")) {
    std::erase_if(targets, [&](const Target& target) { return target.row() != one; });
  } else if (targets.size() > runs_wanted()) {
    std::shuffle(targets.begin(), targets.end(), dice);
    targets.resize(runs_wanted());
  }
  // A writer runs while the one before it is judged: two cores have something to do.
  const auto start = [](const Target& target) {
    const std::string inject =
        fmt::format("inject={}:{}:when={}", target.call, target.fault, target.number);
    return std::make_unique<WriterRun>(
        std::vector<std::string>{"-e", "trace=" + target.call, "-e", inject});
  };
  std::unique_ptr<WriterRun> next = targets.empty() ? nullptr : start(targets.front());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::unique_ptr<WriterRun> run = std::move(next);
    const int status = run->wait();
    if (i + 1 < targets.size()) next = start(targets[i + 1]);
    expect_promises_kept(*run, status, targets[i]);
  }
  fmt::print("{} of {} faults, {} of them felt by the writer\n", targets.size(), all, struck_);
  // Some calls may fail without harm (a hint, a file that is removed anyway); most may not.
  EXPECT_GE(struck_ * 2, targets.size());
}

}  // namespace
}  // namespace pievt::faults
