// A program under strace, which notes its system calls or lets one of them fail or be its last; and
// which calls of an earlier run are worth that.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace pievt::faults {

/// One call that goes wrong, known by its number among the calls of its name in its thread.
struct Target {
  std::string call;
  std::string fault;  ///< as strace names it: error=EIO, signal=KILL
  int number = 0;
  std::string row() const;
  /// What makes strace do it.
  std::vector<std::string> strace_options() const;
};

/// Of the calls in `trace`, those on something below `store`, each with each of `faults`.
std::vector<Target> targets_of(const std::filesystem::path& trace,
                               const std::filesystem::path& store,
                               std::span<const std::string_view> faults);

/// One run of a program in a directory of its own, which is gone with this object.
class TracedRun {
 public:
  /// Makes ready what the program works on, and says what to start.
  using Program = std::function<std::vector<std::string>(const std::filesystem::path& store)>;

  TracedRun(const std::vector<std::string>& strace_options, const Program& program);
  TracedRun(const TracedRun&) = delete;
  TracedRun& operator=(const TracedRun&) = delete;
  ~TracedRun();

  /// Options to note every call by which a store can be changed.
  static std::vector<std::string> noting();

  /// Its exit code; 128 and the signal's number when it was killed; 124 when it hung.
  int wait() const;
  std::filesystem::path store() const { return scratch_ / "store"; }
  std::filesystem::path trace() const { return scratch_ / "trace"; }
  std::vector<std::string> said() const;
  std::string errors() const;

 private:
  std::filesystem::path scratch_;
  pid_t pid_ = -1;
};

}  // namespace pievt::faults
