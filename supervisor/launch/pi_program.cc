// See pi_program.h.
#include "supervisor/launch/pi_program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/launch/probe_directory.h"
#include "supervisor/process/find_program.h"
#include "supervisor/process/sweep.h"

namespace pievt::launch {
namespace {

/// What a program says beside its version; the rest of a flood is not read.
constexpr std::size_t output_bytes_max = 64u << 10;

/// What is shown of it in an error.
constexpr std::size_t excerpt_bytes_max = 300;

void set(std::vector<process::Variable>& variables, std::string name, std::string value) {
  std::erase_if(variables, [&name](const process::Variable& each) { return each.name == name; });
  variables.push_back({std::move(name), std::move(value)});
}

std::string trimmed(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
}

std::optional<PiVersion> version_in_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view words(line);
    if (const auto version = PiVersion::parse(words.starts_with("pi ") ? words.substr(3) : words))
      return version;
  }
  return std::nullopt;
}

/// The start of what the child wrote; empty when there is nothing to read.
std::string read_start(const std::filesystem::path& path) {
  const process::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::string text(output_bytes_max, '\0');
  std::size_t size = 0;
  while (fd.is_open() && size < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

/// One printable line for a message.
std::string excerpt(std::string_view output, std::string_view error) {
  const std::string_view text = trimmed(error).empty() ? output : error;
  std::string out;
  for (const char c : text) {
    const bool is_space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (is_space && (out.empty() || out.back() == ' ')) continue;
    out += is_space ? ' ' : (c > ' ' && c <= '~') ? c : '?';
    if (out.size() >= excerpt_bytes_max) return out + " ...";
  }
  return out.empty() ? "nothing" : "\"" + trimmed(out) + "\"";
}

std::string describe(const process::ExitStatus& status) {
  if (status.signal) return fmt::format("was ended by signal {}", *status.signal);
  return fmt::format("exited with {}", status.exit_code.value_or(-1));
}

/// Starts it and waits. Nothing of it runs when this returns.
Result<process::ExitStatus> run_probe(const process::SpawnRequest& request,
                                      const std::string& marker, std::chrono::milliseconds limit) {
  process::Spawned child = PIEVT_TRY(process::spawn(request));
  const bool in_time = child.process.wait_for_end(process::Clock::now() + limit);
  if (!in_time) PIEVT_TRY(child.process.signal(SIGKILL));
  const auto swept = process::sweep(marker);
  child.process.wait_for_end(process::Clock::now() + process::limits::sweep_deadline_ms);
  const auto status = PIEVT_TRY(child.process.reap());
  if (!in_time || !status)
    return Error{
        Errc::busy,
        fmt::format("{} --version did not end within {} ms and was killed; try it by hand, "
                    "or name another pi with --pi PATH",
                    request.argv.front(), limit.count())};
  if (!swept.ok()) return swept.error();
  return *status;
}

Result<std::string> find_pi(const std::string& name_or_path,
                            const std::vector<process::Variable>& environment) {
  const auto path = std::ranges::find(environment, "PATH", &process::Variable::name);
  std::error_code failed;
  const std::filesystem::path here = std::filesystem::current_path(failed);
  auto found = process::find_program(name_or_path,
                                     path == environment.end() ? std::string_view{} : path->value,
                                     failed ? "/" : here);
  if (found.ok()) return std::filesystem::path(*found).lexically_normal().string();
  Error error = std::move(found).error();
  if (error.code == Errc::not_found)
    error.what +=
        "; pi comes with: npm install -g @earendil-works/pi-coding-agent, and "
        "another one is named with --pi PATH";
  return error;
}

}  // namespace

std::optional<PiVersion> version_in_output(std::string_view output, std::string_view error) {
  if (const auto version = version_in_text(output)) return version;
  return version_in_text(error);
}

Result<PiProgram> probe_pi(const std::string& name_or_path,
                           const std::vector<process::Variable>& environment,
                           std::chrono::milliseconds limit) {
  const std::string program = PIEVT_TRY(find_pi(name_or_path, environment));
  const ProbeDirectory directory = PIEVT_TRY(ProbeDirectory::create());
  const std::string marker = directory.path().filename().string();

  process::SpawnRequest request;
  request.argv = {program, "--version"};
  request.environment = environment;
  set(request.environment, "PI_CODING_AGENT_DIR", (directory.path() / "agent").string());
  set(request.environment, "PI_OFFLINE", "1");
  set(request.environment, "PI_SKIP_VERSION_CHECK", "1");
  set(request.environment, "PI_TELEMETRY", "0");
  set(request.environment, "TMPDIR", directory.path().string());
  set(request.environment, std::string(process::marker_name), marker);
  request.cwd = directory.path();
  request.output = process::OutputFile{directory.path() / "stdout"};
  request.error = process::OutputFile{directory.path() / "stderr"};

  const process::ExitStatus status = PIEVT_TRY(run_probe(request, marker, limit));
  const std::string output = read_start(directory.path() / "stdout");
  const std::string error = read_start(directory.path() / "stderr");
  if (status.exit_code != 0)
    return Error{Errc::unsupported,
                 fmt::format("{} --version {} and said {}; repair that installation, or name "
                             "another pi with --pi PATH",
                             program, describe(status), excerpt(output, error))};
  const auto version = version_in_output(output, error);
  if (!version)
    return Error{Errc::unsupported,
                 fmt::format("{} --version printed no version but {}; is it pi? Name the right one "
                             "with --pi PATH",
                             program, excerpt(output, error))};
  if (*version < oldest_supported)
    return Error{Errc::unsupported,
                 fmt::format("{} is pi {}; the oldest that can be supervised is {}: update it, or "
                             "name another with --pi PATH",
                             program, version->text(), oldest_supported.text())};
  return PiProgram{program, *version};
}

}  // namespace pievt::launch
