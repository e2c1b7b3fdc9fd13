// The players of the kill loop: processes that may be killed or stopped at any moment and that
// know, or find out, what the log must say.
//
// A worker keeps a diary beside the store: before each append what it is about to do, under which
// id; after it, that it was acknowledged. What is in the diary has been handed to the kernel, so it
// outlives the worker, and the next worker of the same number goes on from there. Its stream is
// its own, so every expected revision is exact: a lost append, a doubled one or a hole is a
// conflict.
#include <fstream>
#include <map>
#include <random>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tests/store/log/kill_loop.h"
#include "tests/store/log/roles.h"
#include "tests/store/log/temp_store.h"

namespace pievt::test {
namespace {

constexpr std::chrono::milliseconds long_enough{60'000};

int complain(std::string_view what) {
  say(what);
  return 1;
}

bool input_ended() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, 0) == 1;
}

class DiaryWriter {
 public:
  explicit DiaryWriter(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    PIEVT_ASSERT(static_cast<bool>(file_));
  }
  void line(const std::string& text) const {
    const std::string whole = text + "\n";
    PIEVT_ASSERT(::write(file_.get(), whole.data(), whole.size()) ==
                 static_cast<ssize_t>(whole.size()));
  }

 private:
  Fd file_;
};

// Checks that what is read continues what was read before: sequences without a hole, and each
// worker's numbers without a hole.
class Reading {
 public:
  std::string take(EventReader& reader) {
    while (reader.next()) {
      const EventView& event = reader.event();
      if (event.sequence.value != last_ + 1)
        return fmt::format("after @{} comes @{}", last_, event.sequence.value);
      last_ = event.sequence.value;
      const std::string text = text_of(event);
      if (text.empty()) continue;
      const std::string worker = text.substr(0, text.find(' '));
      const std::uint64_t number = std::stoull(text.substr(text.find(' ') + 1));
      if (number != ++numbers_[worker])
        return fmt::format("@{}: {} is followed by {}", last_, numbers_[worker] - 1, text);
    }
    return reader.status().ok() ? "" : reader.status().error().what;
  }
  Sequence next() const { return {last_ + 1}; }

 private:
  std::uint64_t last_ = 0;
  std::map<std::string, std::uint64_t> numbers_;
};

}  // namespace

Diary read_diary(const std::filesystem::path& path) {
  Diary diary;
  std::ifstream file(path);
  std::string word, id;
  for (std::uint64_t number = 0; file >> word >> number;) {
    if (word == "acked") diary.acked = number;
    if (word == "try" && file >> id) {
      diary.tried = number;
      diary.id = *parse_append_id(id);
    }
  }
  return diary;
}

std::filesystem::path diary_of(const std::filesystem::path& store, const std::string& worker) {
  return store.parent_path() / ("diary-" + worker);
}

// <store> <number> <seed>: says "open", then appends until its input ends.
int kill_loop_worker(Arguments arguments) {
  const std::string name = "worker-" + arguments[1];
  std::minstd_rand random(static_cast<unsigned>(std::stoul(arguments[2])));
  const std::filesystem::path path = diary_of(arguments[0], name);
  auto log =
      Log::open(arguments[0], {.mode = OpenMode::create, .wait = long_enough, .program = name});
  if (!log.ok()) return complain(log.error().what);
  say("open");
  const Diary before = read_diary(path);
  const DiaryWriter diary(path);
  AppendOptions options;
  options.wait = long_enough;
  const auto append = [&](std::uint64_t number, const AppendId& id) {
    options.id = id;
    options.durability = random() % 4 == 0 ? Durability::wal : Durability::fsync;
    return log->append(name, Expected::exactly({number - 1}),
                       {text_event(fmt::format("{} {}", name, number))}, options);
  };
  std::uint64_t number = before.acked;
  if (before.tried > before.acked) {  // whether it was written nobody knows; its id decides
    const auto again = append(before.tried, before.id);
    if (!again.ok()) return complain(fmt::format("retry: {}", again.error().what));
    diary.line(fmt::format("acked {}", before.tried));
    number = before.tried;
  }
  while (!input_ended()) {
    const AppendId id = new_append_id();
    diary.line(fmt::format("try {} {}", ++number, to_string(id)));
    const auto done = append(number, id);
    if (!done.ok()) return complain(done.error().what);
    if (done->streams[0].last.value != number) return complain("a wrong revision");
    diary.line(fmt::format("acked {}", number));
  }
  return 0;
}

// <store>: says "open", then reads what is new over and over until its input ends.
int kill_loop_reader(Arguments arguments) {
  Reading reading;
  auto log = Log::open(arguments[0]);
  if (!log.ok()) return complain(log.error().what);
  say("open");
  while (!input_ended()) {
    if (const Status seen = log->refresh(); !seen.ok()) return complain(seen.error().what);
    auto reader = log->read(reading.next());
    if (const std::string wrong = reading.take(reader); !wrong.empty()) return complain(wrong);
  }
  return 0;
}

// <store>: the same, by following.
int kill_loop_follower(Arguments arguments) {
  Reading reading;
  auto log = Log::open(arguments[0]);
  if (!log.ok()) return complain(log.error().what);
  say("open");
  auto follower = log->follow({0});
  if (!follower.ok()) return complain(follower.error().what);
  while (!input_ended()) {
    auto news = follower->wait(std::chrono::milliseconds(100));
    if (!news.ok()) return complain(news.error().what);
    if (const std::string wrong = reading.take(*news); !wrong.empty()) return complain(wrong);
  }
  return 0;
}

}  // namespace pievt::test
