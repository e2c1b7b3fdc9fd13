// See testing.h.
#include "tests/supervisor/process/testing.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/orphans.h"
#include "supervisor/process/sweep.h"

namespace pievt::process::testing {
namespace {

int poll_timeout_ms(Moment deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

std::filesystem::path make_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "pievt-process-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  return std::filesystem::canonical(name);
}

std::string new_marker() {
  static std::atomic<int> count = 0;
  return fmt::format("test-{}-{}", ::getpid(), ++count);
}

}  // namespace

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

bool wait_readable(int fd) {
  const Moment deadline = patience();
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&wanted, 1, poll_timeout_ms(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

std::string read_line(int fd) {
  std::string line;
  for (char byte = 0; wait_readable(fd) && ::read(fd, &byte, 1) == 1 && byte != '\n';) line += byte;
  return line;
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  while (wait_readable(fd)) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ADD_FAILURE() << "the end did not come after: " << text;
  return text;
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

void append_to_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::app) << text;
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> lines_with(std::string_view text, std::string_view start) {
  std::vector<std::string> found;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(start)) found.emplace_back(line.substr(start.size()));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return found;
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

SubreaperForNow::SubreaperForNow() {
  EXPECT_TRUE(become_subreaper().ok());
}

SubreaperForNow::~SubreaperForNow() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

ProcessTest::ProcessTest() : directory_(make_directory()), marker_(new_marker()) {}

ProcessTest::~ProcessTest() {
  EXPECT_TRUE(sweep(marker_).ok());
  EXPECT_TRUE(reap_orphans({}).ok());
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

SpawnRequest ProcessTest::request(std::vector<std::string> arguments) const {
  SpawnRequest wanted;
  wanted.argv = {PIEVT_CHILD_PROGRAM};
  wanted.argv.insert(wanted.argv.end(), arguments.begin(), arguments.end());
  wanted.environment = {{std::string(marker_name), marker_}};
  wanted.cwd = directory_;
  return wanted;
}

Child ProcessTest::start(std::vector<std::string> arguments) const {
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  SpawnRequest wanted = request(std::move(arguments));
  wanted.input = BorrowedFd{input.reader.get()};
  wanted.output = BorrowedFd{output.writer.get()};
  Result<Spawned> spawned = spawn(wanted);
  if (!spawned.ok()) throw std::runtime_error(spawned.error().what);
  return {std::move(spawned->process), std::move(input.writer), std::move(output.reader)};
}

Child ProcessTest::start_ready(std::vector<std::string> arguments) const {
  Child child = start(std::move(arguments));
  EXPECT_EQ(read_line(child.output.get()), "ready");
  return child;
}

ExitStatus ProcessTest::end_of(Process& process) {
  EXPECT_TRUE(process.wait_for_end(patience()));
  Result<std::optional<ExitStatus>> status = process.reap();
  if (!status.ok() || !*status) throw std::runtime_error("the child's end cannot be had");
  return **status;
}

}  // namespace pievt::process::testing
