// The program that is shot at from outside (syscall_faults_test.cc): makes a store or goes on with
// one, appends, and says what was acknowledged. What it says goes out by writev(2), which is not
// among the calls that are made to fail.
//
//   fault_writer <store> <appends>
//
// Append i has the id of number i, so that whoever comes later knows what it should look like. On
// an error it does what a program should: closes, opens, says the same append again. When that
// fails too, it ends.
#include <cstdlib>
#include <optional>
#include <string>

#include <sys/uio.h>

#include <fmt/format.h>

#include "tests/faults/attempt.h"

namespace {

void say(std::string line) {
  line += '\n';
  iovec piece{line.data(), line.size()};
  if (::writev(1, &piece, 1) < 0) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::filesystem::path store = argv[1];
  const int appends = std::atoi(argv[2]);
  std::optional<pievt::Log> log;
  int errors = 0;
  const auto failed = [&](const pievt::Error& error) {
    say("error " + error.what);
    log.reset();
    return ++errors < 3;
  };
  for (int i = 0; i < appends;) {
    if (!log) {
      auto opened = pievt::Log::open(store, {.mode = pievt::OpenMode::create, .program = "writer"});
      if (!opened.ok()) {
        if (!failed(opened.error())) return 1;
        continue;
      }
      log.emplace(std::move(*opened));
      say("open");
    }
    const auto done = pievt::faults::perform(*log, pievt::faults::numbered_attempt(i));
    if (!done.ok()) {
      if (!failed(done.error())) return 1;
      continue;
    }
    say(fmt::format("acked {}", i++));
  }
  if (log) {
    if (const auto closed = log->close(); !closed.ok()) {
      say("error " + closed.error().what);
      return 1;
    }
  }
  say("closed");
}
