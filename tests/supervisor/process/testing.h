// What the tests of this folder share: a directory, children that behave as told, and waiting that
// is for an event and has an end.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "supervisor/process/process.h"
#include "supervisor/process/spawn.h"

namespace pievt::process::testing {

/// ThreadSanitizer makes a fork of vfork: who starts a child does not wait there until it has
/// become its program, so what is known of it right after is another thing.
#ifdef __SANITIZE_THREAD__
inline constexpr bool vfork_is_fork = true;
#else
inline constexpr bool vfork_is_fork = false;
#endif

/// Long enough for a machine under load. Reaching it fails the test.
inline Moment patience() {
  return Clock::now() + std::chrono::seconds(20);
}

struct Pipe {
  Fd reader;
  Fd writer;
};
Pipe make_pipe();

/// Waits until `fd` is readable; false when that does not come.
bool wait_readable(int fd);

/// The next line without its newline, or what there is when the end comes first.
std::string read_line(int fd);
std::string read_to_end(int fd);

void write_file(const std::filesystem::path& path, std::string_view text);
void append_to_file(const std::filesystem::path& path, std::string_view text);
std::string read_file(const std::filesystem::path& path);

/// Lines that begin with `start`, without it.
std::vector<std::string> lines_with(std::string_view text, std::string_view start);

/// How many descriptors this process has open.
std::size_t open_descriptors();

/// While it lives, orphaned descendants come to this process.
class SubreaperForNow {
 public:
  SubreaperForNow();
  SubreaperForNow(const SubreaperForNow&) = delete;
  SubreaperForNow& operator=(const SubreaperForNow&) = delete;
  ~SubreaperForNow();
};

struct Child {
  Process process;
  Fd input;   ///< write end of its standard input
  Fd output;  ///< read end of its standard output
};

/// A directory of its own, and children that bear the test's marker. What is left of them at the
/// end is killed.
class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest();
  ~ProcessTest() override;

  /// A request for the test program with these arguments; /dev/null for all streams.
  SpawnRequest request(std::vector<std::string> arguments) const;

  /// Starts the test program on pipes. Fails the test, and throws, when that is not possible.
  Child start(std::vector<std::string> arguments) const;

  /// As above, and waits until it said "ready".
  Child start_ready(std::vector<std::string> arguments) const;

  /// Waits for the end and returns how it was.
  static ExitStatus end_of(Process& process);

  std::filesystem::path path(std::string_view name) const { return directory_ / name; }
  const std::string& marker() const { return marker_; }

 private:
  std::filesystem::path directory_;
  std::string marker_;
};

}  // namespace pievt::process::testing
