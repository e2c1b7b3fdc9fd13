#include "tools/verbs/access.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "store/log/store_files.h"
#include "supervisor/record/clock.h"
#include "tools/frame/moment.h"
#include "tools/frame/nearest.h"
#include "tools/verbs/mended.h"
#include "tools/verbs/removed.h"
#include "tools/verbs/sealed_store.h"

namespace pievt::tools {
namespace {

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::uint32_t> resolve_job(const RunState& run, std::string_view id) {
  if (id == "_probe") return 0u;
  if (const JobState* job = find_job(run, id)) return job->number;
  std::vector<std::string_view> ids;
  for (const auto& job : run.jobs) ids.push_back(job->id);
  const auto near = nearest(id, ids);
  return Error{Errc::not_found,
               fmt::format("run {} has no job `{}`{}", run.run_id, id,
                           near ? fmt::format("; did you mean `{}`?", *near) : "")};
}

Result<std::uint32_t> resolve_attempt(const RunState& run, std::uint32_t job,
                                      std::string_view text) {
  const auto number = number_in(text);
  const auto& attempts = job == 0 ? run.attempts : find_job(run, job)->attempts;
  if (!number || *number == 0 || *number > attempts.size()) {
    return Error{Errc::not_found,
                 fmt::format("there is no attempt `{}`; the job has {}", text, attempts.size())};
  }
  return static_cast<std::uint32_t>(*number);
}

// A time of day alone means its first occurrence that is not before the run's start.
Result<std::uint64_t> time_of(const Context& context, const Log& log, std::string_view run,
                              std::string_view text) {
  const auto now = static_cast<std::int64_t>(supervisor::wall_now_ns());
  std::int64_t when = PIEVT_TRY(parse_moment(text, now, context.globals.zone));
  const bool time_of_day = text.size() >= 4 && text.size() <= 12 &&
                           text.find(':') != std::string_view::npos &&
                           text.find_first_not_of("0123456789:.") == std::string_view::npos;
  if (!time_of_day) return static_cast<std::uint64_t>(when);
  const RunState state = PIEVT_TRY(load_run(log, run));
  constexpr std::int64_t day = 86'400'000'000'000;
  const auto start = static_cast<std::int64_t>(state.planned_ns);
  const std::int64_t second = start - start % 1'000'000'000;
  when -= (when - second) / day * day;  // as many whole days back as stay behind the start
  if (when < second) when += day;
  return static_cast<std::uint64_t>(when);
}

// What a word names before anything of the run is read: the run, and what stands behind the slash.
struct NamedThing {
  std::string run, rest;
};

Result<NamedThing> named_thing(const Context& context, const Log& log, std::string_view word) {
  std::string run_word(word), rest;
  if (const auto sealed = sealed_word(word)) {
    run_word = sealed->file.string();
    rest = sealed->rest;
  } else if (const std::size_t slash = word.find('/'); slash != std::string_view::npos) {
    run_word = word.substr(0, slash);
    rest = word.substr(slash + 1);
  }
  if (context.opened != nullptr && context.opened->runs.contains(run_word))
    return NamedThing{context.opened->runs.find(run_word)->second, std::move(rest)};
  const RunList runs = PIEVT_TRY(load_runs(log));
  Result<std::string> run = resolve_run(runs, run_word.empty() ? "last" : run_word);
  // A word with a slash may have been meant as a path.
  std::error_code failed;
  if (!run.ok() && run.error().code == Errc::not_found &&
      std::filesystem::is_regular_file(word, failed))
    return Error{Errc::invalid,
                 fmt::format("{} is a file, and no sealed run; pievt seal writes those", word)};
  return NamedThing{PIEVT_TRY(std::move(run)), std::move(rest)};
}

}  // namespace

Result<std::filesystem::path> store_path(const Context& context) {
  if (context.globals.store) return std::filesystem::path(*context.globals.store);
  return find_store(std::filesystem::current_path());
}

Result<Log> open_to_read(const Context& context) {
  if (const auto files = sealed_words(context); !files.empty())
    return open_sealed_store(context, files);
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::read}));
  say_mended(context, log);
  return log;
}

Result<Reference> resolve_within(const RunState& run, std::string_view rest) {
  Reference found{run.run_id, {}, {}};
  if (rest.empty()) return found;
  const std::size_t slash = rest.find('/');
  found.job = PIEVT_TRY(resolve_job(run, rest.substr(0, slash)));
  if (slash != std::string_view::npos)
    found.attempt = PIEVT_TRY(resolve_attempt(run, *found.job, rest.substr(slash + 1)));
  return found;
}

Result<Reference> resolve(const Context& context, const Log& log, std::string_view word) {
  const NamedThing named = PIEVT_TRY(named_thing(context, log, word));
  if (named.rest.empty()) return Reference{named.run, {}, {}};
  return resolve_within(PIEVT_TRY(load_run(log, named.run)), named.rest);
}

Result<std::string> whole_run(const Context& context, const Log& log, std::string_view word,
                              std::string_view instead) {
  Reference reference = PIEVT_TRY(resolve(context, log, word));
  if (!reference.job) return std::move(reference.run);
  return Error{Errc::invalid,
               fmt::format("{} is a job, and pievt {} is about whole runs; name the run alone{}{}",
                           word, context.verb.name, instead.empty() ? "" : "; ", instead)};
}

Result<Sight> look(const Context& context, const Log& log, std::string_view word) {
  const NamedThing named = PIEVT_TRY(named_thing(context, log, word));
  const bool now = !context.globals.at;
  Sight sight{{named.run, {}, {}}, {}, {}};
  // Names are looked up in the present.
  if (now || !named.rest.empty()) sight.run = PIEVT_TRY(load_run(log, named.run));
  if (!named.rest.empty()) sight.reference = PIEVT_TRY(resolve_within(sight.run, named.rest));
  if (now) return sight;
  sight.at = PIEVT_TRY(moment(context, log, named.run));
  sight.run = PIEVT_TRY(load_run(log, named.run, sight.at));
  return sight;
}

Result<Revision> moment(const Context& context, const Log& log, std::string_view run) {
  if (!context.globals.at) return Revision{};
  std::string_view text = *context.globals.at;
  Revision found{};
  if (text.starts_with('@')) {
    const auto sequence = number_in(text.substr(1));
    if (!sequence) return Error{Errc::invalid, fmt::format("--at {}: write @ and a number", text)};
    if (*sequence > log.head().value)
      return Error{Errc::not_found,
                   fmt::format("--at {}: the store has {} events", text, log.head().value)};
    found = PIEVT_TRY(revision_at(log, run, Sequence{*sequence}));
  } else if (const auto event = number_in(text.starts_with('#') ? text.substr(1) : text)) {
    const Revision head = PIEVT_TRY(log.stream_head(run_stream(run)));
    if (*event > head.value) {
      return Error{Errc::not_found,
                   fmt::format("--at {}: the run has {} events", text, head.value)};
    }
    found = {*event};
  } else {
    const std::uint64_t when = PIEVT_TRY(time_of(context, log, run, text));
    found = PIEVT_TRY(revision_at(log, run, when));
  }
  if (found.value != 0) return found;
  return Error{Errc::not_found, fmt::format("--at {}: that is before run {} began", text, run)};
}

void say_scope(const Context& context, const Log& log, std::string_view run, Revision at) {
  const LogInfo info = log.info();
  std::string line = context.opened != nullptr ? context.opened->name
                                               : fmt::format("store {}", info.directory.string());
  if (!run.empty()) line += fmt::format(", run {}", run);
  if (at.value != 0) line += fmt::format(", at #{}", at.value);
  if (info.missing != 0) line += fmt::format(", {} acknowledged events are MISSING", info.missing);
  if (context.globals.loudness != Loudness::quiet) line += removed_remark(context, log, run);
  context.talk.say(line);
}

render::ListingFormat listing_format(OutputFormat format) {
  switch (format) {
    case OutputFormat::json:
      return render::ListingFormat::json;
    case OutputFormat::jsonl:
      return render::ListingFormat::jsonl;
    case OutputFormat::csv:
      return render::ListingFormat::csv;
    case OutputFormat::text:
      break;
  }
  return render::ListingFormat::text;
}

}  // namespace pievt::tools
