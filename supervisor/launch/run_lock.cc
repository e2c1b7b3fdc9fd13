#include "supervisor/launch/run_lock.h"

#include <chrono>

#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/launch/attempt_files.h"
#include "supervisor/launch/directory.h"

namespace pievt::launch {
std::filesystem::path run_directory(const std::filesystem::path& store, std::string_view run) {
  return store / "attempts" / path_component(run);
}

Result<process::Fd> make_run_directory(const std::filesystem::path& store, std::string_view run) {
  const process::Fd root = PIEVT_TRY(open_directory(store));
  const process::Fd attempts =
      PIEVT_TRY(make_directory(root.get(), "attempts", store / "attempts", Existing::accept));
  return make_directory(attempts.get(), path_component(run), run_directory(store, run),
                        Existing::accept);
}

Result<RunLock> RunLock::acquire(const std::filesystem::path& store, std::string_view run,
                                 std::string_view program) {
  const std::filesystem::path directory = run_directory(store, run);
  PIEVT_TRY(make_run_directory(store, run));
  auto lock = WriterLock::acquire(directory, this_process(program), brief_lock_wait);
  if (lock.ok()) return RunLock(std::move(*lock), directory);
  if (lock.error().code != Errc::busy) return std::move(lock).error();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return Error{Errc::busy, supervised_sentence(run, WriterLock::current_owner(directory),
                                               std::chrono::nanoseconds(now).count())};
}

RunLock::~RunLock() {
  if (!lock_) return;
  // While it is still held: whoever comes now finds a new LOCK or none.
  ::unlink((directory_ / "LOCK").c_str());
  ::rmdir(directory_.c_str());
}

std::optional<Owner> supervisor_of(const std::filesystem::path& store, std::string_view run) {
  return WriterLock::current_owner(run_directory(store, run));
}

}  // namespace pievt::launch
