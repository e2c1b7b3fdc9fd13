// See spawn.h. Everything that can be wrong is opened and looked at here, in the parent, where it
// can be named; the child only moves descriptors, and sets what would otherwise hold for us too.
#include "supervisor/process/spawn.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <unordered_set>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/fd.h"
#include "supervisor/process/find_program.h"
#include "supervisor/process/limits.h"

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

/// All that the child needs. Between vfork and exec it may not allocate, lock or wait, so all of
/// it is made before.
struct Becoming {
  const std::string& program;
  const ExecArguments& arguments;
  const ChildFiles& files;
  std::optional<rlimit> open_files;
};

/// The child's side, in our memory and on our stack, while the thread that made it waits: system
/// calls and nothing else. `failed` is told where exec is refused.
[[noreturn]] void become(const Becoming& wanted, volatile int& failed) {
  // First what is caught and what is ignored, then the mask: no handler of ours runs here.
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &usual, nullptr);
  ::setsid();
  if (wanted.open_files) ::setrlimit(RLIMIT_NOFILE, &*wanted.open_files);
  if (::fchdir(wanted.files.cwd.get()) != 0 || ::dup2(wanted.files.input.get(), STDIN_FILENO) < 0 ||
      ::dup2(wanted.files.output.get(), STDOUT_FILENO) < 0 ||
      ::dup2(wanted.files.error.get(), STDERR_FILENO) < 0) {
    failed = errno;
    ::_exit(127);
  }
  ::closefrom(first_free_fd);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(wanted.program.c_str(), wanted.arguments.argv.data(), wanted.arguments.envp.data());
  failed = errno;
  ::_exit(127);
}

/// No signal is taken by this thread, for as long as this lives.
class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;
  ~SignalsHeldBack() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// The number of the new process; or none, and `failed` says why.
pid_t start_process(const Becoming& wanted, volatile int& failed) {
  const SignalsHeldBack held;
  // It returns when the child has executed its program or is gone.
  const pid_t pid = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (pid == 0) become(wanted, failed);
  if (pid < 0) failed = errno;
  return pid;
}

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

void wait_for(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// A child that cannot be watched must not run.
void kill_unwatched(pid_t pid) {
  ::kill(pid, SIGKILL);
  wait_for(pid);
}

std::optional<rlimit> limit_of_files(std::optional<std::uint64_t> files) {
  rlimit limit{};
  if (!files || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  limit.rlim_cur = std::min<rlim_t>(*files, limit.rlim_max);
  return limit;
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

  volatile int failed = 0;
  const pid_t pid =
      start_process({program, arguments, files, limit_of_files(request.open_files_max)}, failed);
  if (failed != 0) {
    if (pid > 0) wait_for(pid);
    return exec_error(failed, program, arguments);
  }

  Result<Process> process = Process::own_child(pid);
  if (!process.ok()) {
    kill_unwatched(pid);
    return std::move(process).error();
  }
  return Spawned{std::move(process).value(), std::move(program)};
}

}  // namespace pievt::process
