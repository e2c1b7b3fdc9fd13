// A pi that needs no model and costs next to nothing: the first word of its prompt says what it
// does.
//
//   answer                     says that it is done, and ends
//   stream <bytes/s> <seconds> updates as pi 1.x prints them, a write each, at this rate; twice a
//                              second a tool call whose id is the wall clock's nanoseconds. At the
//                              end it says how often a write had to wait: `writes blocked longest`
//
// A write waited when the kernel gave the processor away in it of the child's own will: that is
// counted, where time alone would count how busy the machine is.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace {

struct Waited {
  std::uint64_t writes = 0, blocked = 0;
  long longest_us = 0;
};

std::int64_t now_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

long given_away() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return use.ru_nvcsw;
}

void say(const std::string& line, Waited* waited = nullptr) {
  const std::string text = line + "\n";
  const long before = waited == nullptr ? 0 : given_away();
  const std::int64_t began = now_ns(CLOCK_MONOTONIC);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t put = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (put < 0) std::_Exit(9);
    done += static_cast<std::size_t>(put);
  }
  if (waited == nullptr) return;
  ++waited->writes;
  waited->longest_us =
      std::max(waited->longest_us, static_cast<long>((now_ns(CLOCK_MONOTONIC) - began) / 1000));
  if (given_away() != before) ++waited->blocked;
}

std::string message(const std::string& text) {
  return R"({"type":"message_end","message":{"role":"assistant","content":[)"
         R"({"type":"text","text":")" +
         text +
         R"("}],"usage":{"input":5,"output":2,"cacheRead":0,"cacheWrite":0,"totalTokens":7},)"
         R"("stopReason":"stop"}})";
}

void stream(std::int64_t bytes_per_second, std::int64_t seconds) {
  const std::string update =
      R"({"type":"message_update","usage":{"input":1164,"output":5,"cacheRead":0,"cacheWrite":0,)"
      R"("reasoning":0,"totalTokens":1169,"cost":{"input":0.0011,"output":0.00001,"cacheRead":0,)"
      R"("cacheWrite":0,"total":0.00117}},"assistantMessageEvent":{"type":"text_delta",)"
      R"("contentIndex":0,"delta":" and then another word"}})";
  Waited waited;
  const std::int64_t began = now_ns(CLOCK_MONOTONIC);
  std::int64_t said = 0, next_call = 0;
  for (;;) {
    const std::int64_t elapsed = now_ns(CLOCK_MONOTONIC) - began;
    if (elapsed >= seconds * 1'000'000'000) break;
    const std::int64_t due = elapsed / 1000 * bytes_per_second / 1'000'000;
    while (said < due) {
      say(update, &waited);
      said += static_cast<std::int64_t>(update.size()) + 1;
    }
    if (elapsed >= next_call) {
      const std::string id = std::to_string(now_ns(CLOCK_REALTIME));
      say(R"({"type":"tool_execution_start","toolCallId":")" + id +
          R"(","toolName":"read","args":{"path":"x"}})");
      say(R"({"type":"tool_execution_end","toolCallId":")" + id +
          R"(","toolName":"read","result":{"content":[{"type":"text","text":"x"}]},)"
          R"("isError":false})");
      next_call += 500'000'000;
    }
    const timespec pause{0, 10'000'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
  }
  say(message(std::to_string(waited.writes) + " " + std::to_string(waited.blocked) + " " +
              std::to_string(waited.longest_us)));
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::string(arguments[1]) == "--version") {
    std::puts("1.5.2");
    return 0;
  }
  std::string word;
  std::int64_t rate = 0, seconds = 0;
  std::cin >> word >> rate >> seconds;
  say(R"({"type":"session","version":3,"id":"scripted","cwd":"/"})");
  say(R"({"type":"agent_start"})");
  say(R"({"type":"turn_start"})");
  if (word == "stream")
    stream(rate, seconds);
  else
    say(message("done"));
  say(R"({"type":"turn_end"})");
  say(R"({"type":"agent_end","messages":[]})");
  say(R"({"type":"agent_settled"})");
  return 0;
}
