#include "tests/faults/traced_run.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/faults/attempt.h"

namespace pievt::faults {
namespace {

constexpr std::array<std::string_view, 14> calls = {
    "write",    "pwrite64", "fsync", "fdatasync", "rename",    "renameat2", "unlink",
    "unlinkat", "openat",   "open",  "mkdir",     "ftruncate", "fallocate", "link"};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

}  // namespace

std::string Target::row() const {
  return fmt::format("{}:{}:{}", call, fault, number);
}

std::vector<std::string> Target::strace_options() const {
  return {"-e", "trace=" + call, "-e", fmt::format("inject={}:{}:when={}", call, fault, number)};
}

// A line is `<tid> <call>(...`.
std::vector<Target> targets_of(const std::filesystem::path& trace,
                               const std::filesystem::path& store,
                               std::span<const std::string_view> faults) {
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
    if (line.find(store.native()) == std::string::npos) continue;
    for (const std::string_view fault : faults)
      targets.push_back({call, std::string(fault), number});
  }
  return targets;
}

TracedRun::TracedRun(const std::vector<std::string>& strace_options, const Program& program)
    : scratch_(make_scratch()) {
  // A hang is a failure too (124).
  std::vector<std::string> words = {"timeout", "-k",  "5",  "60", "strace",
                                    "-f",      "-qq", "-y", "-o", trace().string()};
  words.insert(words.end(), strace_options.begin(), strace_options.end());
  for (std::string& word : program(store())) words.push_back(std::move(word));
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

TracedRun::~TracedRun() {
  std::filesystem::remove_all(scratch_);
}

std::vector<std::string> TracedRun::noting() {
  return {"-e", fmt::format("trace={}", fmt::join(calls, ","))};
}

int TracedRun::wait() const {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> TracedRun::said() const {
  return lines_of(scratch_ / "said");
}

std::string TracedRun::errors() const {
  return fmt::format("{}", fmt::join(lines_of(scratch_ / "errors"), "\n"));
}

}  // namespace pievt::faults
