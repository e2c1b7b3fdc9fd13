// `pievt log [run]`: the events themselves, which everything else is made of.
#include <algorithm>
#include <array>
#include <bitset>
#include <optional>

#include <fmt/format.h>

#include "pievt/query.h"
#include "supervisor/record/clock.h"
#include "tools/frame/moment.h"
#include "tools/frame/nearest.h"
#include "tools/verbs/access.h"
#include "tools/verbs/log_output.h"
#include "tools/verbs/run_end.h"
#include "tools/verbs/store_moment.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_log = {
    argument("run", "which run, or RUN/JOB[/ATTEMPT]; the last run when left out")
        .completing(Complete::jobs),
    flag("--all", "the whole store: every run, and its own story"),
    flag("--follow", "go on as events arrive, until the run has finished").with_letter('f'),
    flag("--oneline", "one line an event"),
    flag("--stat", "how many events of which type"),
    flag("--reverse", "newest first"),
    value("--type", "TYPE", "only events of this type, in any case").repeatable(),
    value("--job", "ID", "only events of this job"),
    value("--since", "WHEN", "only events from then on: 2h, yesterday 14:00, 2026-11-20T12:00:00Z"),
    value("--until", "WHEN", "only events up to then"),
    number("--limit", "N", "stop after so many events").with_letter('n'),
};

constexpr Manual manual_of_log = {
    .details =
        "Every event of a run in the order in which it was written, oldest first, with its "
        "revision (#812), which is its name for ever, the job and attempt it is about, and "
        "what it says. On a terminal lines are cut to its width; -v shows every field of "
        "every event and cuts nothing.\n\n"
        "With -o jsonl each line is one event with everything that is recorded of it.",
    .options = options_of_log,
    .examples = {{{"pievt log last --type JobFinished --type JobJudged", "how the jobs ended"},
                  {"pievt log -f -o jsonl | jq -c .type", "what happens, as it happens"}}},
    .outputs = Outputs::everything,
};

constexpr std::size_t types_max = 256;

// Which events are wanted.
struct Filter {
  std::bitset<types_max> types;
  std::string job;
  std::optional<std::uint32_t> number, attempt;  ///< of the job that stands behind the run's name
  std::optional<std::uint64_t> since_ns, until_ns;
  std::uint64_t left = UINT64_MAX;

  bool admits(const EventView& event, EventNames& names) const {
    if (!types.test(static_cast<std::size_t>(event.type()))) return false;
    if (number && event.head().job() != *number) return false;
    // Number 0 is of what serves the run itself, and of the run.
    if (number == 0 && event.head().attempt() == 0) return false;
    if (attempt && event.head().attempt() != *attempt) return false;
    if (since_ns && event.time_ns() < *since_ns) return false;
    if (until_ns && event.time_ns() > *until_ns) return false;
    return job.empty() || names.job(event) == job;
  }
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

Result<std::bitset<types_max>> wanted_types(const std::vector<std::string>& typed) {
  std::bitset<types_max> wanted;
  if (typed.empty()) return wanted.set();
  std::vector<std::string> lowered;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(schema::Payload::MAX); ++i) {
    lowered.push_back(lower(type_name(static_cast<schema::Payload>(i))));
  }
  for (const std::string& word : typed) {
    const auto found = std::ranges::find(lowered, lower(word));
    if (found != lowered.end()) {
      wanted.set(static_cast<std::size_t>(found - lowered.begin()) + 1);
      continue;
    }
    const std::vector<std::string_view> known(lowered.begin(), lowered.end());
    std::string hint;
    if (const auto near = nearest(lower(word), known)) {
      const auto type = std::ranges::find(known, *near) - known.begin() + 1;
      hint = fmt::format(" (did you mean {}?)", type_name(static_cast<schema::Payload>(type)));
    }
    return Error{Errc::invalid, fmt::format("--type: no event is called \"{}\"{}; pievt log --all "
                                            "--stat lists those there are",
                                            word, hint)};
  }
  return wanted;
}

Result<std::optional<std::uint64_t>> time_option(const Context& context, std::string_view name) {
  const auto typed = context.arguments.text(name);
  if (!typed) return std::optional<std::uint64_t>();
  const auto now = static_cast<std::int64_t>(supervisor::wall_now_ns());
  const std::int64_t when = PIEVT_TRY(parse_moment(*typed, now, context.globals.zone));
  return std::optional(static_cast<std::uint64_t>(std::max<std::int64_t>(when, 0)));
}

Result<Filter> filter_from(const Context& context) {
  Filter filter;
  filter.types = PIEVT_TRY(wanted_types(context.arguments.all("--type")));
  filter.job = context.arguments.text_or("--job", "");
  filter.since_ns = PIEVT_TRY(time_option(context, "--since"));
  filter.until_ns = PIEVT_TRY(time_option(context, "--until"));
  filter.left = context.arguments.number("--limit").value_or(UINT64_MAX);
  return filter;
}

Status check_log_options(const Context& context) {
  const Arguments& given = context.arguments;
  const auto both = [&](std::string_view a, std::string_view b) -> Status {
    if (!given.has(a) || !given.has(b)) return {};
    return Error{Errc::invalid, fmt::format("{} and {} contradict each other", a, b)};
  };
  PIEVT_TRY(both("--follow", "--reverse"));
  PIEVT_TRY(both("--follow", "--stat"));
  PIEVT_TRY(both("--oneline", "--stat"));
  if (given.has("--all") && given.has("run")) {
    return Error{Errc::invalid, "name a run or say --all, not both"};
  }
  if (given.has("--follow") && context.globals.at) {
    return Error{Errc::invalid, "--follow and --at contradict each other: the past does not go on"};
  }
  return {};
}

// Events that are wanted go to `output`, until nobody reads any more or there were enough.
class EventShower {
 public:
  EventShower(Context& context, EventNames& names, Filter filter, LogOutput& output)
      : context_(context), names_(names), filter_(std::move(filter)), output_(output) {}

  bool over() const { return filter_.left == 0 || context_.out.done(); }

  Status show(EventReader reader, std::optional<std::uint32_t> stream = {}) {
    while (!over() && reader.next()) {
      const EventView& event = reader.event();
      if (stream && event.stamp->stream() != *stream) continue;
      names_.see(event);
      end_.see(event.type());
      if (!filter_.admits(event, names_)) continue;
      output_.event(event);
      --filter_.left;
    }
    return reader.status();
  }

  bool run_is_over() const { return end_.over(); }

 private:
  Context& context_;
  EventNames& names_;
  Filter filter_;
  LogOutput& output_;
  RunEnd end_;
};

Status follow(Context& context, const Log& log, Sequence after, const std::string& run,
              EventShower& shower) {
  constexpr std::chrono::seconds round{1};
  std::optional<std::uint32_t> stream;
  if (!run.empty()) {
    auto first = log.read_stream(run_stream(run), {1}, {1});
    if (first.next()) stream = first.event().stamp->stream();
  }
  Follower follower = PIEVT_TRY(log.follow(after));
  context.out.flush();
  while (!shower.over() && !(stream && shower.run_is_over())) {
    EventReader news = PIEVT_TRY(follower.wait(round));
    PIEVT_TRY(shower.show(std::move(news), stream));
    context.out.flush();
  }
  return {};
}

// A job that does not exist would show nothing, which reads like an answer.
Status check_job(const Context& context, const Log& log, const std::string& run,
                 const std::string& job) {
  if (job.empty() || run.empty()) return {};
  PIEVT_TRY(resolve(context, log, run + "/" + job));
  return {};
}

}  // namespace

const Manual& log_manual() {
  return manual_of_log;
}

Result<Exit> log(Context& context) {
  PIEVT_TRY(check_log_options(context));
  Filter filter = PIEVT_TRY(filter_from(context));
  const Log log = PIEVT_TRY(open_to_read(context));
  const bool all = context.arguments.has("--all");
  std::string run;
  Revision last{};
  if (!all) {
    const Reference reference =
        PIEVT_TRY(resolve(context, log, context.arguments.text_or("run", "last")));
    if (reference.job && !filter.job.empty())
      return Error{Errc::invalid, "name a job behind the run or with --job, not both"};
    run = reference.run;
    filter.number = reference.job;
    filter.attempt = reference.attempt;
    last = PIEVT_TRY(moment(context, log, run));
  }
  PIEVT_TRY(check_job(context, log, run, filter.job));
  const Sequence head = all ? PIEVT_TRY(store_moment(context, log)) : log.head();
  const LogForm form = context.arguments.has("--stat")      ? LogForm::counts
                       : context.arguments.has("--oneline") ? LogForm::oneline
                                                            : LogForm::blocks;
  const Revision widest = all               ? Revision{head.value}
                          : last.value != 0 ? last
                                            : PIEVT_TRY(log.stream_head(run_stream(run)));
  EventNames names(log);
  const auto output = PIEVT_TRY(make_log_output(context, names, form, {run, widest}));
  say_scope(context, log, run, last);

  const bool follows = context.arguments.has("--follow");
  if (!follows) context.pager.begin();
  const Direction direction =
      context.arguments.has("--reverse") ? Direction::backward : Direction::forward;
  const bool forward = direction == Direction::forward;
  EventShower shower(context, names, filter, *output);
  if (all) {
    PIEVT_TRY(shower.show(forward ? log.read({1}, head) : log.read(head, {1}, direction)));
  } else {
    PIEVT_TRY(shower.show(forward ? log.read_stream(run_stream(run), {1}, last)
                                  : log.read_stream(run_stream(run), last, {1}, direction)));
  }
  if (follows) PIEVT_TRY(follow(context, log, head, run, shower));
  output->finish();
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
