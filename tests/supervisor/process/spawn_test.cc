// A child gets what was asked for and nothing else; what cannot be started is told in one sentence.
#include "supervisor/process/spawn.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "supervisor/process/proc_files.h"
#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SpawnTest : public ProcessTest {
 protected:
  /// What the child tells about itself.
  static std::string report_of(const SpawnRequest& wanted) {
    SpawnRequest on_a_pipe = wanted;
    Pipe output = make_pipe();
    on_a_pipe.output = BorrowedFd{output.writer.get()};
    Result<Spawned> spawned = spawn(on_a_pipe);
    EXPECT_TRUE(spawned.ok()) << spawned.error().what;
    output.writer.reset();
    std::string text = read_to_end(output.reader.get());
    if (spawned.ok()) {
      EXPECT_EQ(end_of(spawned->process).exit_code, 0);
    }
    return text;
  }
};

// What is not known before exec has failed, for which only vfork waits.
class FailedStartTest : public SpawnTest {
 protected:
  void SetUp() override {
    if (vfork_is_fork) GTEST_SKIP() << "nobody waits for exec under ThreadSanitizer";
    SpawnTest::SetUp();
  }

  /// The error of a start that must fail, and must leave neither child nor descriptor.
  static Error failure_of(const SpawnRequest& wanted) {
    const std::size_t before = open_descriptors();
    Result<Spawned> spawned = spawn(wanted);
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    if (!spawned.ok()) return spawned.error();
    ADD_FAILURE() << "it started";
    return {Errc::io, ""};
  }
};

TEST_F(SpawnTest, InheritsNoDescriptor) {
  // Without O_CLOEXEC, so that only the closing in the child can keep them away.
  const Fd low(::open("/dev/null", O_RDONLY));
  const Fd high(::fcntl(low.get(), F_DUPFD, 700));
  ASSERT_TRUE(high.is_open());
  EXPECT_THAT(lines_with(report_of(request({"report"})), "fd "),
              UnorderedElementsAre("0", "1", "2"));
}

TEST_F(SpawnTest, StartsWithNoSignalBlockedAndNoneIgnored) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  const auto user_before = ::signal(SIGUSR1, SIG_IGN);
  const std::string text = report_of(request({"report"}));
  ::signal(SIGPIPE, pipe_before);
  ::signal(SIGUSR1, user_before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);

  EXPECT_THAT(lines_with(text, "SigBlk:\t"), ElementsAre("0000000000000000"));
  const std::vector<std::string> ignored = lines_with(text, "SigIgn:\t");
  ASSERT_EQ(ignored.size(), 1u);
  // Numbers 32 and 33 are glibc's own; its posix_spawn leaves them ignored.
  EXPECT_EQ(std::stoull(ignored.front(), nullptr, 16) & ~0x1'8000'0000ull, 0u);
}

TEST_F(SpawnTest, LeadsASessionInTheDirectoryAskedFor) {
  const std::string text = report_of(request({"report"}));
  EXPECT_THAT(lines_with(text, "cwd "), ElementsAre(path("").parent_path().string()));
  EXPECT_THAT(lines_with(text, "leads its session: "), ElementsAre("yes"));
  EXPECT_THAT(lines_with(text, "leads its group: "), ElementsAre("yes"));
}

TEST_F(SpawnTest, PassesArgumentsAndEnvironmentExactly) {
  SpawnRequest wanted = request({"report", "", "two words", "--x=\"q\"", "ü"});
  wanted.environment = {{"A", "1"}, {"EMPTY", ""}, {"B", "x=y"}};
  const std::string text = report_of(wanted);
  EXPECT_THAT(lines_with(text, "arg "), ElementsAre("report", "", "two words", "--x=\"q\"", "ü"));
  EXPECT_THAT(lines_with(text, "env "), ElementsAre("A=1", "EMPTY=", "B=x=y"));
}

TEST_F(SpawnTest, AnEmptyEnvironmentIsEmpty) {
  SpawnRequest wanted = request({"report"});
  wanted.environment.clear();
  EXPECT_THAT(lines_with(report_of(wanted), "env "), IsEmpty());
}

TEST_F(SpawnTest, ReadsAFileToItsEnd) {
  SpawnRequest wanted = request({"report"});
  const std::string prompt(300'000, 'p');
  write_file(path("prompt"), prompt);
  wanted.input = InputFile{path("prompt")};
  const std::string text = report_of(wanted);
  EXPECT_THAT(lines_with(text, "stdin "), ElementsAre(prompt));
  EXPECT_THAT(lines_with(text, "fd "), UnorderedElementsAre("0", "1", "2"));
}

TEST_F(SpawnTest, NullInputIsAtItsEnd) {
  EXPECT_THAT(lines_with(report_of(request({"report"})), "stdin "), ElementsAre(""));
}

TEST_F(SpawnTest, AppendsToOutputFilesOnlyTheOwnerMayRead) {
  SpawnRequest wanted = request({"report"});
  wanted.output = OutputFile{path("out")};
  wanted.error = OutputFile{path("err")};
  append_to_file(path("err"), "before\n");
  Result<Spawned> spawned = spawn(wanted);
  ASSERT_TRUE(spawned.ok()) << spawned.error().what;
  EXPECT_EQ(end_of(spawned->process).exit_code, 0);
  const std::string text = read_file(path("out"));
  EXPECT_THAT(lines_with(text, "fd "), UnorderedElementsAre("0", "1 appending", "2 appending"));
  EXPECT_THAT(lines_with(text, "stdin "), ElementsAre(""));
  EXPECT_EQ(read_file(path("err")), "before\n");
  struct stat info {};
  ASSERT_EQ(::stat(path("out").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
}

TEST_F(SpawnTest, WorksWhenTheParentHasNoStandardStreams) {
  SpawnRequest wanted = request({"report"});
  write_file(path("prompt"), "hello");
  wanted.input = InputFile{path("prompt")};
  Pipe output = make_pipe();
  wanted.output = BorrowedFd{output.writer.get()};
  // With these free, whatever is opened for the child gets the numbers it will be moved to.
  const Fd input_before(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100));
  const Fd output_before(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100));
  ::close(STDIN_FILENO);
  ::close(STDOUT_FILENO);
  std::string text;
  std::optional<int> exit_code;
  if (Result<Spawned> spawned = spawn(wanted); spawned.ok()) {
    output.writer.reset();
    text = read_to_end(output.reader.get());
    exit_code = end_of(spawned->process).exit_code;
  }
  if (input_before.is_open()) ::dup2(input_before.get(), STDIN_FILENO);
  if (output_before.is_open()) ::dup2(output_before.get(), STDOUT_FILENO);

  EXPECT_THAT(lines_with(text, "stdin "), ElementsAre("hello"));
  EXPECT_THAT(lines_with(text, "fd "), UnorderedElementsAre("0", "1", "2"));
  EXPECT_EQ(exit_code, 0);
}

TEST_F(SpawnTest, TellsWhoWasStarted) {
  Child child = start_ready({"wait"});
  const ProcessId& id = child.process.id();
  EXPECT_GT(id.pid, 1);
  EXPECT_EQ(id.boot_id, *read_boot_id());
  EXPECT_EQ(id.start_ticks, read_stat(id.pid)->start_ticks);
  EXPECT_GT(id.start_ticks, 0u);
  EXPECT_EQ(id.pid_namespace, *read_pid_namespace());
}

TEST_F(SpawnTest, LooksForTheProgramInTheChildsPath) {
  std::filesystem::create_directory(path("bin"));
  std::filesystem::create_symlink(PIEVT_CHILD_PROGRAM, path("bin/my-agent"));
  SpawnRequest wanted = request({"exit", "0"});
  wanted.argv.front() = "my-agent";
  wanted.environment = {{"PATH", "/nowhere:" + path("bin").string()}};
  Result<Spawned> spawned = spawn(wanted);
  ASSERT_TRUE(spawned.ok()) << spawned.error().what;
  EXPECT_EQ(spawned->executable, path("bin/my-agent").string());
  EXPECT_EQ(end_of(spawned->process).exit_code, 0);
}

TEST_F(SpawnTest, ResolvesAPathInTheChildsDirectory) {
  std::filesystem::create_symlink(PIEVT_CHILD_PROGRAM, path("agent"));
  SpawnRequest wanted = request({"exit", "3"});
  wanted.argv.front() = "./agent";
  Result<Spawned> spawned = spawn(wanted);
  ASSERT_TRUE(spawned.ok()) << spawned.error().what;
  EXPECT_EQ(end_of(spawned->process).exit_code, 3);
}

TEST_F(FailedStartTest, NeverTakesAProgramFromTheWorkersTree) {
  std::filesystem::create_symlink(PIEVT_CHILD_PROGRAM, path("my-agent"));
  SpawnRequest wanted = request({"exit", "0"});
  wanted.argv.front() = "my-agent";
  const std::string from_here = std::filesystem::relative(path("."));
  for (const std::string& directories : {std::string(".::"), from_here, from_here + ":."}) {
    wanted.environment = {{"PATH", directories}};
    EXPECT_EQ(failure_of(wanted).code, Errc::not_found) << directories;
  }
}

TEST_F(FailedStartTest, NamesTheMissingProgramAndWhereItWasLookedFor) {
  SpawnRequest wanted = request({});
  wanted.argv = {"no-such-agent"};
  wanted.environment = {{"PATH", "/nowhere:/usr/nowhere"}};
  const Error error = failure_of(wanted);
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_THAT(error.what, HasSubstr("no-such-agent"));
  EXPECT_THAT(error.what, HasSubstr("/nowhere:/usr/nowhere"));
}

TEST_F(FailedStartTest, NamesTheMissingDirectoryAndNotTheProgram) {
  SpawnRequest wanted = request({"exit", "0"});
  wanted.cwd = path("gone");
  const Error error = failure_of(wanted);
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_THAT(error.what, HasSubstr("directory " + path("gone").string()));
  write_file(path("file"), "");
  wanted.cwd = path("file");
  EXPECT_EQ(failure_of(wanted).code, Errc::invalid);
}

TEST_F(FailedStartTest, TellsThatAProgramIsNotExecutable) {
  write_file(path("agent"), "#!/bin/sh\n");
  SpawnRequest wanted = request({});
  wanted.argv = {path("agent").string()};
  Error error = failure_of(wanted);
  EXPECT_EQ(error.code, Errc::invalid);
  EXPECT_THAT(error.what, HasSubstr("chmod +x"));

  wanted.argv = {"agent"};
  wanted.environment = {{"PATH", path("").parent_path().string()}};
  error = failure_of(wanted);
  EXPECT_EQ(error.code, Errc::invalid);
  EXPECT_THAT(error.what, HasSubstr(path("agent").string()));

  wanted.argv = {path("").string()};
  EXPECT_THAT(failure_of(wanted).what, HasSubstr("is a directory"));
}

TEST_F(FailedStartTest, NamesTheMissingInterpreter) {
  write_file(path("agent"), "#!/opt/no-such-node --flag\n");
  ASSERT_EQ(::chmod(path("agent").c_str(), 0755), 0);
  SpawnRequest wanted = request({});
  wanted.argv = {path("agent").string()};
  const Error error = failure_of(wanted);
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_THAT(error.what, HasSubstr("/opt/no-such-node"));
}

TEST_F(FailedStartTest, TellsThatAFileIsNoProgram) {
  write_file(path("agent"), "just text\n");
  ASSERT_EQ(::chmod(path("agent").c_str(), 0755), 0);
  SpawnRequest wanted = request({});
  wanted.argv = {path("agent").string()};
  const Error error = failure_of(wanted);
  EXPECT_EQ(error.code, Errc::invalid);
  EXPECT_THAT(error.what, HasSubstr("#!"));
}

TEST_F(FailedStartTest, TellsThatAnArgumentIsTooLong) {
  const Error error = failure_of(request({"exit", std::string(200'000, 'x')}));
  EXPECT_EQ(error.code, Errc::invalid);
  EXPECT_THAT(error.what, HasSubstr("200001"));
  EXPECT_THAT(error.what, HasSubstr("standard input"));
}

TEST_F(FailedStartTest, RefusesWhatExecWouldCutOrConfuse) {
  SpawnRequest wanted = request({});
  wanted.argv.clear();
  EXPECT_EQ(failure_of(wanted).code, Errc::invalid);
  EXPECT_EQ(failure_of(request({std::string("a\0b", 3)})).code, Errc::invalid);
  const std::vector<std::vector<Variable>> refused{
      {{"", "x"}}, {{"A=B", "x"}}, {{"A", std::string("x\0y", 3)}}, {{"A", "1"}, {"A", "2"}}};
  for (const std::vector<Variable>& environment : refused) {
    wanted = request({"exit", "0"});
    wanted.environment = environment;
    EXPECT_EQ(failure_of(wanted).code, Errc::invalid);
  }
}

TEST_F(FailedStartTest, TakesOnlyPlainFilesOfOurs) {
  write_file(path("target"), "secret");
  std::filesystem::create_symlink(path("target"), path("link"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  for (const char* name : {"link", "pipe", ""}) {
    SpawnRequest wanted = request({"exit", "0"});
    wanted.input = InputFile{path(name)};
    EXPECT_EQ(failure_of(wanted).code, Errc::invalid) << "input " << name;
    if (*name == '\0') continue;  // a directory cannot be opened for writing at all
    wanted = request({"exit", "0"});
    wanted.output = OutputFile{path(name)};
    EXPECT_EQ(failure_of(wanted).code, Errc::invalid) << "output " << name;
  }
  EXPECT_EQ(read_file(path("target")), "secret");
  SpawnRequest wanted = request({"exit", "0"});
  wanted.input = InputFile{path("absent")};
  EXPECT_EQ(failure_of(wanted).code, Errc::not_found);
}

/// The lowest limit of descriptors that leaves exactly `count` numbers free.
rlim_t limit_with_free(int count) {
  int limit = 0;
  while (count > 0) {
    if (::fcntl(limit, F_GETFD) < 0) --count;
    ++limit;
  }
  return static_cast<rlim_t>(limit);
}

TEST_F(SpawnTest, AChildThatCannotBeWatchedDoesNotRun) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const std::size_t open_before = open_descriptors();
  bool started_once = false;
  // With each descriptor more the start gets further, until it works.
  for (int free = 0; !started_once && free < 20; ++free) {
    const rlimit tight{limit_with_free(free), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    Result<Spawned> spawned = spawn(request({"wait"}));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    started_once = spawned.ok();
    if (started_once) continue;
    EXPECT_THAT(spawned.error().what, HasSubstr("Too many open files"));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was left with " << free;
    EXPECT_EQ(open_descriptors(), open_before);
  }
  EXPECT_TRUE(started_once);
}

}  // namespace
}  // namespace pievt::process::testing
