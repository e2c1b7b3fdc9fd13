// Makes the golden stores of a format version; see README.md for when, and never again after.
//
//   make_golden <new folder>       below it: clean/, died/ and what each says
//
// Hosts and directories of the machine it runs on are in none of the files: RocksDB asks for the
// host's name, and gets one from here.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/output.h"
#include "pievt/query.h"
#include "tests/golden/account.h"

// In front of the C library's, for RocksDB too.
extern "C" int gethostname(char* name, std::size_t size) noexcept {
  std::strncpy(name, "golden", size);
  return 0;
}

namespace {

using namespace pievt;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

template <class T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "make_golden: {}\n", result.error().what);
  std::exit(1);
}

template <class Table>
NewEvent event(Table payload, Subject subject = {}, std::uint64_t caused_by = 0) {
  return {std::move(payload), subject, {{caused_by}, {1}}};
}

std::unique_ptr<schema::BlobRef> blob(Log& log, const std::string& text) {
  return std::make_unique<schema::BlobRef>(must(log.put_blob(text)));
}

// Lines that grow as pi's did up to 0.73.
std::string what_it_said(const std::string& name) {
  std::string text, said;
  for (int i = 0; i < 60; ++i) {
    said += fmt::format("{} word {} ", name, i);
    text += fmt::format("{{\"type\":\"message_update\",\"text\":\"{}\"}}\n", said);
  }
  return text;
}

std::vector<NewEvent> plan_of(Log& log, const std::string& run) {
  schema::RunPlannedT planned;
  planned.run_id = run;
  planned.kind = schema::RunKind::batch;
  planned.name = "golden";
  planned.plan = blob(log, "{\"jobs\": [\"index\", \"review\"]}");
  planned.job_count = 2;
  planned.concurrency = 1;
  std::vector<NewEvent> events;
  events.push_back(event(std::move(planned)));
  for (const std::uint32_t number : {1u, 2u}) {
    schema::JobDeclaredT job;
    job.id = number == 1 ? "index" : "review";
    // The second has more than one chunk.
    std::string prompt = "Make an index of all chapters.\n";
    while (number == 2 && prompt.size() < 700'000) prompt += prompt;
    job.prompt = blob(log, prompt);
    job.tools = {"read", "grep"};
    job.timeout_ms = 60'000;
    if (number == 2) {
      auto after = std::make_unique<schema::JobDependencyT>();
      after->job = 1;
      after->when = schema::DependsWhen::success;
      job.depends_on.push_back(std::move(after));
    }
    events.push_back(event(std::move(job), {.job = number}, 1));
  }
  events.push_back(event(schema::RunStartedT{}, {}, 1));
  return events;
}

std::vector<NewEvent> attempt_of(Log& log, OutputPacker& packer, const std::string& run,
                                 std::uint32_t job) {
  const Subject subject{.job = job, .attempt = 1};
  std::vector<NewEvent> events;
  schema::AttemptLaunchRequestedT request;
  request.mode = schema::AttemptMode::json;
  request.purpose = schema::AttemptPurpose::work;
  request.argv = {"pi", "--mode", "json"};
  events.push_back(event(std::move(request), subject));
  events.push_back(event(schema::AttemptLaunchedT{}, subject));
  OutputWriter writer({run, job, 1, schema::OutputChannel::stdout});
  for (const char* half : {"first", "second"}) {
    const std::string said = what_it_said(half);
    for (auto& chunk : must(writer.write(log, packer, std::as_bytes(std::span(said)))))
      events.push_back(event(std::move(chunk), subject));
  }
  schema::UsageRecordedT used;
  used.reported = schema::Reported::reported;
  used.usage = std::make_unique<schema::UsageT>();
  used.usage->total_tokens = 9'007'199'254'740'993;  // not a number of JavaScript
  used.usage->cost_nanodollars = 5'000'000;
  events.push_back(event(std::move(used), subject));
  schema::AttemptExitedT exited;
  exited.knowledge = schema::ExitKnowledge::observed;
  exited.exit_code = job == 1 ? 0 : 1;
  events.push_back(event(std::move(exited), subject));
  schema::AttemptClassifiedT classified;
  classified.reason = "said \"done\" \u00e9";
  events.push_back(event(std::move(classified), subject));
  schema::JobFinishedT finished;
  finished.status = job == 1 ? schema::JobStatus::succeeded : schema::JobStatus::failed;
  finished.failure = job == 1 ? schema::FailureKind::none : schema::FailureKind::acceptance_failed;
  events.push_back(event(std::move(finished), {.job = job}));
  return events;
}

void append(Log& log, const std::string& stream, std::vector<NewEvent> events,
            Durability durability = Durability::fsync) {
  static_cast<void>(must(log.append(stream, Expected::any(), std::move(events),
                                    {.id = {}, .durability = durability})));
}

void add_run(Log& log, const std::string& run) {
  OutputPacker packer;
  append(log, run_stream(run), plan_of(log, run));
  for (const std::uint32_t job : {1u, 2u})
    append(log, run_stream(run), attempt_of(log, packer, run, job));
  schema::RunFinishedT finished;
  finished.ending = schema::RunEnding::failed;
  finished.succeeded = 1;
  finished.failed = 1;
  append(log, run_stream(run), {event(std::move(finished))});
}

Log open(const fs::path& store) {
  return must(Log::open(store, {.mode = OpenMode::create, .program = "golden"}));
}

// Closed in good order twice: tables, no log of unflushed writes, saved states, an append over two
// streams and one that only checks a third.
void make_clean(const fs::path& store) {
  for (const char* run : {"20261120-aaa111", "20261120-bbb222"}) {
    Log log = open(store);
    add_run(log, run);
    std::vector<StreamEvents> both(3);
    both[0] = {"notes/one", Expected::any(), {}};
    both[1] = {"notes/two", Expected::any(), {}};
    both[2] = {run_stream(run), Expected::exists(), {}};
    for (std::size_t i : {0u, 1u}) {
      schema::RunPausedT paused;
      paused.reason = fmt::format("{} beside {}", i, run);
      both[i].events.push_back(event(std::move(paused)));
    }
    static_cast<void>(must(log.append(both)));
    must(save_views(log, run));
    must(log.close());
  }
}

// Killed in the middle of a run, after appends of every durability; the last table was written
// before that.
[[noreturn]] void live(const fs::path& store) {
  {
    Log log = open(store);
    add_run(log, "20261120-ccc333");
    must(log.close());
  }
  std::exit(0);
}

[[noreturn]] void die_in_the_middle(const fs::path& store) {
  Log log = open(store);
  OutputPacker packer;
  const std::string run = "20261120-ddd444";
  append(log, run_stream(run), plan_of(log, run));
  append(log, run_stream(run), attempt_of(log, packer, run, 1), Durability::wal);
  append(log, "notes/one", {event(schema::RunPausedT{})}, Durability::fsync);
  ::kill(::getpid(), SIGKILL);
  std::abort();
}

// The parent has opened no store yet: RocksDB's threads would be missing in the child.
void in_a_child(void (*role)(const fs::path&), const fs::path& store) {
  const pid_t child = ::fork();
  if (child == 0) role(store);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) std::exit(1);
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text << std::flush;
  if (!out) std::exit(1);
}

void account(const fs::path& store) {
  const Log log = must(Log::open(store));
  write(store.string() + ".events.jsonl", must(golden::events_text(log)));
  write(store.string() + ".facts", must(golden::facts_text(log)));
}

// Without what is of this machine (SOCKET), hides the store from git, or is a note that RocksDB
// makes for people (OPTIONS-*: 40 KB each).
void leave_the_truth(const fs::path& store) {
  fs::remove(store / "SOCKET");
  fs::remove(store / ".gitignore");
  std::vector<fs::path> notes;
  for (const auto& entry : fs::directory_iterator(store / "log")) {
    if (entry.path().filename().string().starts_with("OPTIONS-")) notes.push_back(entry.path());
  }
  for (const fs::path& note : notes) fs::remove(note);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || fs::exists(argv[1])) {
    fmt::print(stderr, "usage: make_golden <folder that is not there yet>\n");
    return 2;
  }
  fs::create_directories(argv[1]);
  // RocksDB writes the directory's name down, so it is a short one from here.
  fs::current_path(argv[1]);
  in_a_child(live, "died");
  in_a_child(die_in_the_middle, "died");
  make_clean("clean");
  account("clean");
  account("died");
  for (const char* store : {"clean", "died"}) leave_the_truth(store);
}
