// See spawn.h. Everything that can be wrong is opened and looked at here, in the parent, where it
// can be named; the child only moves descriptors.
#include "supervisor/process/spawn.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <unordered_set>

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/fd.h"
#include "supervisor/process/find_program.h"
#include "supervisor/process/limits.h"
#include "supervisor/process/open_files.h"

namespace pievt::process {
namespace {

constexpr int first_free_fd = 3;

/// The same open file under a number that the moves to 0, 1 and 2 cannot overwrite.
Result<Fd> above_standard(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, first_free_fd));
  if (!copy.is_open()) return os_error("cannot duplicate a descriptor for a child", errno);
  return copy;
}

Result<Fd> open_checked(const std::filesystem::path& path, int flags) {
  // O_NONBLOCK because opening a named pipe would wait for its other end; it is taken back below.
  const Fd fd(::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  if (!fd.is_open() && errno == ELOOP)
    return Error{
        Errc::invalid,
        fmt::format("{} is a symbolic link; a child's files are plain files", path.string())};
  if (!fd.is_open() && errno == ENXIO)
    return Error{
        Errc::invalid,
        fmt::format("{} is a pipe or socket; a child's files are plain files", path.string())};
  if (!fd.is_open())
    return os_error(fmt::format("cannot open {} for a child", path.string()), errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return os_error(fmt::format("cannot examine {}", path.string()), errno);
  if (!S_ISREG(info.st_mode))
    return Error{Errc::invalid,
                 fmt::format("{} is not a plain file; a child's files are", path.string())};
  const bool writes = (flags & O_ACCMODE) != O_RDONLY;
  if (writes && info.st_uid != ::geteuid())
    return Error{Errc::invalid,
                 fmt::format("{} belongs to user {}; a child's output goes to a file of our own",
                             path.string(), info.st_uid)};
  if (::fcntl(fd.get(), F_SETFL, flags & O_APPEND) != 0)
    return os_error(fmt::format("cannot set the mode of {}", path.string()), errno);
  return above_standard(fd.get());
}

Result<Fd> open_null(int flags) {
  const Fd fd(::open("/dev/null", flags | O_CLOEXEC));
  if (!fd.is_open()) return os_error("cannot open /dev/null for a child", errno);
  return above_standard(fd.get());
}

Result<Fd> open_stream(const StandardInput& stream) {
  if (const auto* file = std::get_if<InputFile>(&stream)) return open_checked(file->path, O_RDONLY);
  if (const auto* borrowed = std::get_if<BorrowedFd>(&stream)) return above_standard(borrowed->fd);
  return open_null(O_RDONLY);
}

Result<Fd> open_stream(const StandardOutput& stream) {
  if (const auto* file = std::get_if<OutputFile>(&stream))
    return open_checked(file->path, O_WRONLY | O_CREAT | O_APPEND);
  if (const auto* borrowed = std::get_if<BorrowedFd>(&stream)) return above_standard(borrowed->fd);
  return open_null(O_WRONLY);
}

Result<Fd> open_cwd(const std::filesystem::path& cwd) {
  const Fd fd(::open(cwd.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const bool entered = fd.is_open() && ::faccessat(fd.get(), ".", X_OK, AT_EACCESS) == 0;
  if (entered) return above_standard(fd.get());
  const std::string what = fmt::format("cannot start a child in directory {}", cwd.string());
  if (errno == ENOENT || errno == ENOTDIR)
    return os_error(errno == ENOENT ? Errc::not_found : Errc::invalid,
                    what + "; make it or correct the path", errno);
  return os_error(what, errno);
}

/// The C arrays exec wants, and the text they point into.
struct ExecArguments {
  std::vector<std::string> variables;
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::size_t bytes = 0;
  std::size_t longest_bytes = 0;
  std::string_view path;
};

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

Status check_request(const SpawnRequest& request) {
  if (request.argv.empty()) return Error{Errc::invalid, "a child needs a program: argv is empty"};
  for (std::size_t i = 0; i < request.argv.size(); ++i)
    if (has_nul(request.argv[i]))
      return Error{Errc::invalid, fmt::format("argv[{}] holds a NUL byte, where it would end", i)};
  std::unordered_set<std::string_view> names;
  for (const auto& [name, value] : request.environment) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value))
      return Error{Errc::invalid,
                   fmt::format("environment variable '{}' has no name, '=' in its name, or a NUL "
                               "byte",
                               name.substr(0, name.find('\0')))};
    if (!names.insert(name).second)
      return Error{Errc::invalid,
                   fmt::format("environment variable {} is given twice; keep one", name)};
  }
  return {};
}

/// exec does not write to its arguments, but its C type says it might.
ExecArguments exec_arguments(const SpawnRequest& request) {
  ExecArguments out;
  const auto add = [&out](std::vector<char*>& list, const std::string& text) {
    list.push_back(const_cast<char*>(text.c_str()));
    out.bytes += text.size() + 1 + sizeof(char*);
    out.longest_bytes = std::max(out.longest_bytes, text.size() + 1);
  };
  for (const auto& [name, value] : request.environment) {
    out.variables.push_back(fmt::format("{}={}", name, value));
    if (name == "PATH") out.path = value;
  }
  for (const std::string& text : request.argv) add(out.argv, text);
  for (const std::string& text : out.variables) add(out.envp, text);
  out.argv.push_back(nullptr);
  out.envp.push_back(nullptr);
  return out;
}

struct ChildFiles {
  Fd cwd;
  Fd input;
  Fd output;
  Fd error;
};

/// posix_spawn's two option objects, freed at the end.
class SpawnOptions {
 public:
  SpawnOptions() {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_init(&actions_);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }

  /// 0 or an errno value, like everything of posix_spawn.
  int fill(const ChildFiles& files) {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    const std::array results{
        ::posix_spawnattr_setsigmask(&attributes_, &none),
        ::posix_spawnattr_setsigdefault(&attributes_, &all),
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
        ::posix_spawn_file_actions_addfchdir_np(&actions_, files.cwd.get()),
        ::posix_spawn_file_actions_adddup2(&actions_, files.input.get(), STDIN_FILENO),
        ::posix_spawn_file_actions_adddup2(&actions_, files.output.get(), STDOUT_FILENO),
        ::posix_spawn_file_actions_adddup2(&actions_, files.error.get(), STDERR_FILENO),
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, first_free_fd)};
    const auto failed = std::ranges::find_if(results, [](int result) { return result != 0; });
    return failed == results.end() ? 0 : *failed;
  }

  const posix_spawnattr_t* attributes() const { return &attributes_; }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

/// "#!/usr/bin/node" of a script, without the "#!"; empty for other files.
std::string interpreter_of(const std::string& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 256> buffer;
  const ssize_t got = fd.is_open() ? ::read(fd.get(), buffer.data(), buffer.size()) : 0;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (!text.starts_with("#!")) return {};
  const std::string_view line = text.substr(2, text.find('\n') - 2);
  return std::string(line.substr(std::min(line.find_first_not_of(' '), line.size())));
}

Error exec_error(int number, const std::string& file, const ExecArguments& arguments) {
  const std::string what = fmt::format("cannot execute {}", file);
  switch (number) {
    case ENOENT: {
      const std::string interpreter = interpreter_of(file);
      return {Errc::not_found,
              fmt::format("{}: the file is there, but {} it needs is not; install that", what,
                          interpreter.empty() ? "a loader" : "the interpreter " + interpreter)};
    }
    case ENOEXEC:
      return {Errc::invalid,
              fmt::format("{}: it is neither a program for this machine nor a script that begins "
                          "with #!; name its interpreter as argv[0]",
                          what)};
    case E2BIG:
      return {
          Errc::invalid,
          fmt::format("{}: arguments and environment are {} bytes, the longest string {}; the "
                      "kernel takes {} a string and a quarter of the stack limit in all; give "
                      "the prompt on standard input",
                      what, arguments.bytes, arguments.longest_bytes, limits::argument_bytes_max)};
    case EAGAIN:
    case ENOMEM:
      return os_error(Errc::busy, what + "; run fewer children, or raise the limit (ulimit -u)",
                      number);
    case EACCES:
    case EPERM:
      return os_error(Errc::invalid,
                      what +
                          "; is it on a file system mounted noexec, or is its interpreter not "
                          "executable",
                      number);
    default:
      return os_error(what, number);
  }
}

/// A child that cannot be watched must not run.
void kill_unwatched(pid_t pid) {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<ChildFiles> open_files(const SpawnRequest& request) {
  Fd cwd = PIEVT_TRY(open_cwd(request.cwd));
  Fd input = PIEVT_TRY(open_stream(request.input));
  Fd output = PIEVT_TRY(open_stream(request.output));
  Fd error = PIEVT_TRY(open_stream(request.error));
  return ChildFiles{std::move(cwd), std::move(input), std::move(output), std::move(error)};
}

}  // namespace

Result<Spawned> spawn(const SpawnRequest& request) {
  PIEVT_TRY(check_request(request));
  const ExecArguments arguments = exec_arguments(request);
  const ChildFiles files = PIEVT_TRY(open_files(request));
  std::string program = PIEVT_TRY(find_program(request.argv.front(), arguments.path, request.cwd));
  // The child changes its directory before it executes.
  std::error_code failed_absolute;
  program = std::filesystem::absolute(program, failed_absolute).string();
  if (failed_absolute)
    return Error{Errc::io, fmt::format("cannot tell where {} is: {}", request.argv.front(),
                                       failed_absolute.message())};

  SpawnOptions options;
  if (const int failed = options.fill(files); failed != 0)
    return os_error("cannot prepare the start of a child", failed);
  pid_t pid = 0;
  const int failed = [&] {
    const FileLimitForChild limit(request.open_files_max);
    return ::posix_spawn(&pid, program.c_str(), options.actions(), options.attributes(),
                         arguments.argv.data(), arguments.envp.data());
  }();
  if (failed != 0) return exec_error(failed, program, arguments);

  Result<Process> process = Process::own_child(pid);
  if (!process.ok()) {
    kill_unwatched(pid);
    return std::move(process).error();
  }
  return Spawned{std::move(process).value(), std::move(program)};
}

}  // namespace pievt::process
