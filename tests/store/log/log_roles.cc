// Writers that die or run out of space, as processes of their own.
#include "tests/store/log/log_roles.h"

#include <csignal>
#include <cstdlib>

#include <sys/resource.h>

#include <fmt/format.h>

#include "store/log/log_impl.h"
#include "store/log/stored_page.h"
#include "tests/store/log/roles.h"
#include "tests/store/log/temp_store.h"

namespace pievt::test {

std::vector<std::string> attempted_texts(int round, int append) {
  std::vector<std::string> texts;
  for (int i = 0; i <= append % 3; ++i) texts.push_back(fmt::format("{}/{}/{}", round, append, i));
  return texts;
}

std::vector<NewEvent> attempted_events(int round, int append) {
  constexpr std::uint64_t year_2030_ns = 1'893'456'000'000'000'000;
  std::vector<NewEvent> events;
  for (const std::string& text : attempted_texts(round, append)) {
    events.push_back(text_event(text));
    const auto steps = static_cast<std::uint64_t>(round * 1'000'000 + append * 10) + events.size();
    events.back().occurred_ns = year_2030_ns - steps * 1'000'000;
  }
  return events;
}

Status verify_chain(const Log& log) {
  Digest chain{};
  std::uint64_t sequence = 0;
  auto cursor = log.impl().rocks().cursor(Family::log);
  for (cursor.seek(""); cursor.valid(); cursor.next()) {
    StoredPage page;
    PIEVT_TRY(page.load(cursor.value(), log.impl().place.identity.short_id()));
    PIEVT_TRY(page.view().check_chain(chain));
    if (page.first() != sequence + 1) {
      return Error{Errc::corrupt, fmt::format("after @{} comes @{}", sequence, page.first())};
    }
    sequence = page.last();
  }
  return cursor.status();
}

int append_for_ever(Arguments arguments) {
  const auto durability = static_cast<Durability>(std::atoi(arguments[1].c_str()));
  const int round = std::atoi(arguments[2].c_str());
  auto log = Log::open(arguments[0], {.mode = OpenMode::create, .program = "append_for_ever"});
  if (!log.ok()) {
    say(log.error().what);
    return 1;
  }
  say("open");
  for (int append = 0;; ++append) {
    const auto done = log->append("work", Expected::any(), attempted_events(round, append),
                                  {.id = {}, .durability = durability});
    if (!done.ok()) {
      say(done.error().what);
      return 1;
    }
    say(fmt::format("acked {} {}", append, done->last.value));
  }
}

namespace {

void limit_file_size(rlim_t bytes) {
  struct rlimit limit {};
  PIEVT_ASSERT(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  limit.rlim_cur = bytes;
  PIEVT_ASSERT(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

}  // namespace

// Says: "acked <n>" after each append; "refused <code>" at the first that is not; "again <code>"
// for one more, which must be refused too; then with room "open", "acked <n>" and "closed".
int append_until_full(Arguments arguments) {
  const std::string filler(4000, 'x');
  ::signal(SIGXFSZ, SIG_IGN);  // the write fails with EFBIG then
  const auto open = [&] { return Log::open(arguments[0], {.mode = OpenMode::write}); };
  auto log = open();
  if (!log.ok()) return 1;
  limit_file_size(static_cast<rlim_t>(std::atoll(arguments[1].c_str())));
  const auto append = [&](int n) {
    return log->append("work", Expected::any(), {text_event(fmt::format("{} {}", n, filler))});
  };
  int n = 0;
  for (;; ++n) {
    const auto done = append(n);
    if (!done.ok()) {
      say(fmt::format("refused {}", name_of(done.error().code)));
      break;
    }
    say(fmt::format("acked {}", n));
  }
  say(fmt::format("again {}", name_of(append(n).error().code)));
  static_cast<void>(log->close());  // it may well say that it could not
  limit_file_size(RLIM_INFINITY);
  log = open();
  if (!log.ok()) {
    say(log.error().what);
    return 1;
  }
  say("open");
  if (!append(n).ok()) return 1;
  say(fmt::format("acked {}", n));
  if (!log->close().ok()) return 1;
  say("closed");
  return 0;
}

int hold_store(Arguments arguments) {
  const auto log = Log::open(arguments[0], {.mode = OpenMode::write, .program = arguments[1]});
  say(log.ok() ? "open" : log.error().what);
  wait_for_end_of_input();
  return 0;
}

}  // namespace pievt::test
