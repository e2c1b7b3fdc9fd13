// What `pievt run` does under load, as a whole program with real children (child.cc):
//
//   many at once   200 children, each printing 200 KB/s: whether one of them ever had to wait in a
//                  write, the supervisor's memory and processor time, and how long after a child
//                  had printed a tool call another process heard of its event (it is durable then)
//   short jobs     1,000 children that answer at once, eight at a time, beside a shell that starts
//                  the same program the same number of times, eight at a time
//
//   load_bench --pievt build/release/tools/pievt      on an idle machine; three minutes
//   load_bench --pievt ... --children 20 --seconds 3 --jobs 50      does it work
//
// All processes are held on two processors, whatever the machine has.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/log.h"
#include "tools/measure/place.h"

namespace pievt::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Asked {
  std::string pievt = "build/release/tools/pievt";
  std::uint64_t children = 200, rate = 200'000, seconds = 20;
  std::uint64_t jobs = 1000, concurrency = 8, rounds = 3;
};

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "load_bench: {}\n", why);
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) give_up(result.error().what);
  return std::move(result).value();
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

/// Two processors for us and all that we start.
void hold_on_two_processors() {
  cpu_set_t allowed, two;
  CPU_ZERO(&two);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
  int left = 2;
  for (std::size_t at = 0; at < CPU_SETSIZE && left > 0; ++at) {
    if (!CPU_ISSET(at, &allowed)) continue;
    CPU_SET(at, &two);
    --left;
  }
  ::sched_setaffinity(0, sizeof(two), &two);
}

pid_t start(const fs::path& where, std::vector<std::string> words) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (::chdir(where.c_str()) != 0) ::_exit(9);
  const int output = ::open("said", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::setenv("HOME", where.c_str(), 1);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

std::string all_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_success(const fs::path& where, int status, const std::string& what) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  give_up(fmt::format("{} did not end well:\n{}", what, all_of(where / "said")));
}

void run_to_end(const fs::path& where, const std::vector<std::string>& words) {
  int status = 0;
  ::waitpid(start(where, words), &status, 0);
  expect_success(where, status, words.front());
}

/// A store and a plan of equal jobs.
void prepare(const Asked& asked, const fs::path& where, std::uint64_t jobs,
             std::uint64_t concurrency, const std::string& prompt) {
  fs::create_directories(where);
  run_to_end(where, {asked.pievt, "init", "-q"});
  std::ofstream(where / ".pievt/config.json")
      << fmt::format(R"({{"store":{{"concurrency":{},"childMemoryMiB":1}}}})", concurrency);
  std::string list;
  for (std::uint64_t i = 1; i <= jobs; ++i)
    list += fmt::format(R"({}{{"id":"j{}","prompt":"{}"}})", i == 1 ? "" : ",", i, prompt);
  std::ofstream(where / ".pievt/plan.json") << fmt::format(
      R"({{"name":"load","concurrency":{},"defaults":{{"retry":{{"maxAttempts":1}}}},)"
      R"("jobs":[{}]}})",
      concurrency, list);
}

std::vector<std::string> run_words(const Asked& asked) {
  return {asked.pievt, "run", "-q", "--no-probe", "--pi", PIEVT_LOAD_CHILD, ".pievt/plan.json"};
}

// Until the run has ended: when each tool call was heard of, after it was printed.
struct Heard {
  std::vector<double> late_ms;
  std::uint64_t finals = 0, writes = 0, blocked = 0, longest_us = 0;
  std::uint64_t peak_kib = 0;
};

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                   : std::nullopt;
}

std::int64_t wall_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void hear(const EventView& event, std::int64_t now, Heard& heard) {
  if (const auto* call = event.envelope->payload_as_ToolCallStarted()) {
    const auto printed = call->call_id() == nullptr ? std::nullopt : number(call->call_id()->str());
    if (printed) heard.late_ms.push_back(static_cast<double>(now - *printed) / 1e6);
  } else if (const auto* last = event.envelope->payload_as_FinalMessageObserved()) {
    std::uint64_t writes = 0, blocked = 0, longest = 0;
    if (std::sscanf(last->excerpt()->c_str(), "%lu %lu %lu", &writes, &blocked, &longest) != 3)
      return;
    ++heard.finals;
    heard.writes += writes;
    heard.blocked += blocked;
    heard.longest_us = std::max<std::uint64_t>(heard.longest_us, longest);
  }
}

std::uint64_t peak_kib(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtoull(line.c_str() + 6, nullptr, 10);
  return 0;
}

/// User and system time of the process alone, in seconds; of a zombie too.
double processor_seconds(pid_t pid) {
  const std::string text = all_of(fmt::format("/proc/{}/stat", pid));
  const std::size_t end = text.rfind(") ");
  if (end == std::string::npos) return 0;
  std::uint64_t user = 0, system = 0;
  const int read =
      std::sscanf(text.c_str() + end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                  &user, &system);
  return read == 2
             ? static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK))
             : 0;
}

void many_at_once(const Asked& asked, const fs::path& where) {
  prepare(asked, where, asked.children, asked.children,
          fmt::format("stream {} {}", asked.rate, asked.seconds));
  const pid_t pid = start(where, run_words(asked));
  const Log log = must(Log::open(where / ".pievt"));
  Follower follower = must(log.follow({0}));
  Heard heard;
  for (bool ended = false; !ended;) {
    siginfo_t info{};
    ended = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == pid;
    heard.peak_kib = std::max(heard.peak_kib, peak_kib(pid));
    auto news = must(follower.wait(std::chrono::milliseconds(200)));
    const std::int64_t now = wall_ns();
    while (news.next()) hear(news.event(), now, heard);
  }
  const double own = processor_seconds(pid);
  int status = 0;
  ::waitpid(pid, &status, 0);
  expect_success(where, status, "pievt run");
  if (heard.finals != asked.children)
    give_up(fmt::format("{} of {} children said how it went", heard.finals, asked.children));
  fmt::print("many at once: {} children, {} KB/s each, {} s\n", asked.children, asked.rate / 1000,
             asked.seconds);
  fmt::print(
      "  writes that had to wait      {} of {}; the longest write took {:.1f} ms  (goal: 0)\n",
      heard.blocked, heard.writes, static_cast<double>(heard.longest_us) / 1e3);
  fmt::print("  memory of pievt              {:.0f} MiB  (goal: below 256)\n",
             static_cast<double>(heard.peak_kib) / 1024);
  fmt::print(
      "  printed until heard, durable p50 {:.1f} ms, p99 {:.1f} ms, worst {:.1f} ms of {} "
      "(goal: 20 from reading on)\n",
      quantile(heard.late_ms, 0.5), quantile(heard.late_ms, 0.99), quantile(heard.late_ms, 1),
      heard.late_ms.size());
  fmt::print("  processor time of pievt      {:.2f} s, {:.0f} % of one\n", own,
             100 * own / static_cast<double>(asked.seconds));
  std::fflush(stdout);
}

double seconds_of(const fs::path& where, const std::vector<std::string>& words) {
  const auto began = Clock::now();
  run_to_end(where, words);
  return std::chrono::duration<double>(Clock::now() - began).count();
}

void short_jobs(const Asked& asked, const fs::path& where) {
  std::vector<double> ours, theirs;
  for (std::uint64_t round = 0; round < asked.rounds; ++round) {
    const fs::path place = where / fmt::format("{}-run", round);
    prepare(asked, place, asked.jobs, asked.concurrency, "answer");
    // Beside it: what the one leaves behind is no work for the other.
    const fs::path shell_place = where / fmt::format("{}-shell", round);
    fs::create_directories(shell_place / "out");
    std::ofstream(shell_place / "prompt") << "answer";
    // What somebody writes who has no supervisor: files for what is said, and no more than so many.
    const std::string loop = fmt::format(
        "n=0; for i in $(seq {}); do \"$0\" --mode json < prompt > out/$i 2> out/$i.err & "
        "if ((++n >= {})); then wait -n; fi; done; wait",
        asked.jobs, asked.concurrency);
    theirs.push_back(seconds_of(shell_place, {"bash", "-c", loop, PIEVT_LOAD_CHILD}));
    ours.push_back(seconds_of(place, run_words(asked)));
  }
  const double shell = quantile(theirs, 0.5), run = quantile(ours, 0.5);
  fmt::print("short jobs: {} children that answer at once, {} at a time; middle of {}\n",
             asked.jobs, asked.concurrency, asked.rounds);
  fmt::print("  a shell loop                 {:.2f} s, {:.2f} ms each\n", shell,
             1e3 * shell / static_cast<double>(asked.jobs));
  fmt::print("  pievt run                    {:.2f} s, {:.2f} ms each: {:.2f} times  (goal: 1.3)\n",
             run, 1e3 * run / static_cast<double>(asked.jobs), run / shell);
}

Asked read_words(int count, char** words) {
  Asked asked;
  const std::map<std::string, std::uint64_t*> numbers{
      {"--children", &asked.children}, {"--rate", &asked.rate},
      {"--seconds", &asked.seconds},   {"--jobs", &asked.jobs},
      {"--rounds", &asked.rounds},     {"--concurrency", &asked.concurrency}};
  for (int at = 1; at < count; at += 2) {
    const std::string name = words[at];
    const auto known = numbers.find(name);
    if (at + 1 >= count || (known == numbers.end() && name != "--pievt"))
      give_up(
          "--pievt FILE, --children, --rate (bytes/s), --seconds, --jobs, --concurrency, "
          "--rounds N");
    if (known == numbers.end()) {
      asked.pievt = words[at + 1];
    } else {
      const auto value = number(words[at + 1]);
      if (!value || *value < 0) give_up(fmt::format("{} takes a number", name));
      *known->second = static_cast<std::uint64_t>(*value);
    }
  }
  asked.pievt = fs::absolute(asked.pievt).string();
  if (!fs::exists(asked.pievt)) give_up(asked.pievt + " is not there; make build");
  return asked;
}

}  // namespace
}  // namespace pievt::bench

int main(int count, char** words) {
  using namespace pievt::bench;
  const Asked asked = read_words(count, words);
  hold_on_two_processors();
  const auto directory =
      must(pievt::measure::ScratchDirectory::make(std::filesystem::current_path()));
  if (asked.children > 0) many_at_once(asked, directory.path() / "many");
  if (asked.jobs > 0 && asked.rounds > 0) short_jobs(asked, directory.path() / "short");
  return 0;
}
