// `pievt grep PATTERN [run]`: lines of everything that was recorded.
#include <algorithm>

#include <fmt/format.h>

#include "supervisor/record/clock.h"
#include "tools/render/progress.h"
#include "tools/render/sanitise.h"
#include "tools/verbs/access.h"
#include "tools/verbs/body_search.h"
#include "tools/verbs/store_moment.h"

namespace pievt::tools::verbs {
namespace {

using render::Fact;
using render::Style;

constexpr std::array options_of_grep = {
    argument("pattern", "the text to look for").shown_as("PATTERN").required(),
    argument("run", "which run, or RUN/JOB; the last run when left out").completing(Complete::jobs),
    flag("--all", "every run of the store"),
    flag("--extended", "the pattern is a regular expression, as in Perl").with_letter('E'),
    flag("--ignore-case", "capital and small letters are the same").with_letter('i'),
    number("--context", "N", "so many lines before and after each").with_letter('C'),
    flag("--count", "only how many lines"),
};

constexpr Manual manual_of_grep = {
    .details =
        "Searches the fields of all events and the bodies they refer to: prompts, arguments and "
        "results of tools, final messages, reports, plans. Each line is named by its event, its "
        "job and the field it stands in. Raw captured output is not searched: it says the same "
        "again (pievt output writes it).\n\n"
        "Exits with 0 where something was found and with 1 where nothing was.",
    .options = options_of_grep,
    .examples = {{{"pievt grep 'No such file' last", "what the last run did not find"},
                  {"pievt grep -iE 'rate.?limit|429' --all", "in every run of the store"}}},
    .outputs = Outputs::everything,
};

render::ListingShape grep_shape() {
  return {"pievt.grep",
          1,
          {{"run", {.title = "RUN"}},
           {"event", {.title = "EVENT"}},
           {"subject", {.title = "SUBJECT"}},
           {"type", {.title = "TYPE"}},
           {"field", {.title = "FIELD"}},
           {"line", {.title = "LINE"}},
           {"text", {.title = "TEXT"}}}};
}

std::string run_of(const std::string& stream) {
  constexpr std::string_view prefix = "run/";
  return stream.starts_with(prefix) ? stream.substr(prefix.size()) : stream;
}

class FoundShower {
 public:
  FoundShower(Context& context, bool with_run, std::optional<render::Listing> listing)
      : context_(context), with_run_(with_run), listing_(std::move(listing)) {}

  void show(const FoundText& found) {
    if (listing_) return rows(found);
    std::string name = with_run_ ? run_of(found.run) + " " : std::string();
    name += fmt::format("#{} {}{}{}.{}", found.revision, found.subject,
                        found.subject.empty() ? "" : " ", found.type, found.field);
    name = render::one_line(name);
    for (const FoundLine& line : found.lines) {
      if (context_.out.done()) return;
      const bool around = !line.before.empty() || !line.after.empty();
      if (around && shown_++ > 0) context_.out.line("--");
      std::uint64_t number = line.number - line.before.size();
      for (const std::string& text : line.before) this->line(name, number++, '-', text);
      hit(name, line);
      for (const std::string& text : line.after) this->line(name, ++number, '-', text);
    }
  }

  void finish(std::string_view when_empty) {
    if (listing_) listing_->finish(when_empty);
  }

 private:
  void line(const std::string& name, std::uint64_t number, char mark, std::string_view text) {
    context_.out.line(fmt::format("{}{}{}{} {}",
                                  render::styled(context_.terminal, Style::dim, name), mark, number,
                                  mark, render::one_line(text)));
  }
  void hit(const std::string& name, const FoundLine& found) {
    const std::string_view text = found.text;
    const auto part = [&](std::size_t from, std::size_t to) {
      return render::one_line(text.substr(from, to - from));
    };
    const std::string shown =
        part(0, found.match.begin) +
        render::styled(context_.terminal, Style::bad, part(found.match.begin, found.match.end)) +
        part(found.match.end, text.size());
    context_.out.line(fmt::format("{}:{}: {}", render::styled(context_.terminal, Style::dim, name),
                                  found.number, shown));
  }
  void rows(const FoundText& found) {
    for (const FoundLine& line : found.lines) {
      listing_->row({Fact::text(run_of(found.run)), Fact::count(found.revision),
                     Fact::text(found.subject), Fact::text(found.type), Fact::text(found.field),
                     Fact::count(line.number), Fact::text(line.text)});
    }
  }

  Context& context_;
  bool with_run_;
  std::optional<render::Listing> listing_;
  std::size_t shown_ = 0;
};

struct Range {
  std::string run;
  std::optional<std::uint32_t> job;
  Revision last{};
  Sequence store_last{};
};

Result<Range> range_from(Context& context, const Log& log) {
  Range range;
  if (context.arguments.has("--all")) {
    if (context.arguments.has("run"))
      return Error{Errc::invalid, "name a run or say --all, not both"};
    range.store_last = PIEVT_TRY(store_moment(context, log));
    return range;
  }
  const Reference reference =
      PIEVT_TRY(resolve(context, log, context.arguments.text_or("run", "last")));
  range.run = reference.run;
  range.job = reference.job;
  range.last = PIEVT_TRY(moment(context, log, reference.run));
  return range;
}

}  // namespace

const Manual& grep_manual() {
  return manual_of_grep;
}

Result<Exit> grep(Context& context) {
  const Arguments& given = context.arguments;
  const TextPattern pattern = PIEVT_TRY(
      TextPattern::compile(given.text_or("pattern", ""),
                           given.has("--extended") ? PatternKind::regex : PatternKind::fixed,
                           given.has("--ignore-case") ? LetterCase::ignored : LetterCase::matters));
  const Log log = PIEVT_TRY(open_to_read(context));
  const Range range = PIEVT_TRY(range_from(context, log));
  std::optional<render::Listing> listing;
  if (context.globals.output != OutputFormat::text) {
    listing.emplace(PIEVT_TRY(render::Listing::create(context.out, context.terminal,
                                                      listing_format(context.globals.output),
                                                      grep_shape(), context.globals.fields)));
  }
  say_scope(context, log, range.run, range.last);
  const bool only_count = given.has("--count");
  if (!only_count) context.pager.begin();
  EventNames names(log);
  FoundShower shower(context, range.run.empty(), std::move(listing));
  BodySearch search(log, pattern, names, given.number("--context").value_or(0),
                    [&](const FoundText& found) {
                      if (!only_count) shower.show(found);
                    });
  render::Progress progress(context.talk.writer(), context.talk.terminal(), "searching",
                            static_cast<std::int64_t>(supervisor::boot_now_ns()));
  EventReader reader = range.run.empty() ? log.read({1}, range.store_last)
                                         : log.read_stream(run_stream(range.run), {1}, range.last);
  while (!context.out.done() && reader.next()) {
    if (range.job && reader.event().head().job() != *range.job) continue;
    search.event(reader.event());
    if (search.totals().events % 1024 == 0 && context.talk.loudness() != Loudness::quiet)
      progress.at(search.totals().events, static_cast<std::int64_t>(supervisor::boot_now_ns()));
  }
  PIEVT_TRY(reader.status());
  search.finish();
  progress.finish();
  const SearchTotals& totals = search.totals();
  if (only_count) {
    context.out.line(fmt::format("{}", totals.lines));
  } else {
    shower.finish("nothing was found");
  }
  if (totals.missing > 0)
    context.talk.warn(fmt::format("{} could not be read (redacted or damaged; see pievt verify)",
                                  render::plural(totals.missing, "body", "bodies")));
  return totals.lines > 0 ? Exit::ok : Exit::no;
}

}  // namespace pievt::tools::verbs
