// The texts, as people read them; facts that live in a table elsewhere are taken from there.
#include "tools/frame/topics.h"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "tools/frame/exit.h"
#include "tools/frame/pages.h"
#include "tools/frame/words.h"

namespace pievt::tools {
namespace {

constexpr std::string_view environment_text =
    R"(PIEVT_STORE names the store, as --store does; the flag wins. Without either, the nearest
.pievt directory is taken, looking upwards from the working directory as git does.

PIEVT_PAGER, then PAGER, is the pager for long output on a terminal (default: less -FRX). Empty
or "cat" means none, as --no-pager does.

NO_COLOR, when set to anything, turns colours off; so does TERM=dumb. --color always and --color
never win over both.

COLUMNS, when set, is the width that tables fit on a terminal. TZ is your time zone. LC_ALL,
LC_CTYPE and LANG say whether the terminal shows more than ASCII.

PIEVT_ATTEMPT is set by pievt for every agent it starts, and is how leftovers of an attempt are
recognised. Do not set it.)";

constexpr std::string_view exit_codes_text =
    R"(Exit codes never change their meaning, so a script can branch on them. A verb that answers
yes or no answers by its exit code too. When the reader of the output goes away (as in "|
head"), the exit code is still the verb's answer.)";

constexpr std::string_view faq_text =
    R"(How do I name a run?

By its id, any unique beginning of it, its plan's name, or as last, last~1, last:failed or
running. A job is RUN/JOB, an attempt RUN/JOB/ATTEMPT.

How do I see how it was at two in the morning?

Give any reading verb --at 02:14, or --at 812 for the run's event 812, or --at @90812 for the
store's.

Does reading disturb a run that is going on?

No. Any number of processes may read while one writes, and none of them waits for the other.

Why does it say "not reported" and not 0?

Because it is not known. What is not known is never counted as zero.

Is it safe to look at what an agent wrote?

Yes. Control characters and escape sequences in it are made visible before they reach the
terminal.

What may I delete?

Nothing inside .pievt by hand.)";

constexpr std::string_view formats_text =
    R"(Data goes to stdout, everything that is said about it to stderr, so a pipe never mixes the
two.

--output text is for people: aligned, coloured on a terminal, and cut to its width only there.
Its layout may change between versions; do not parse it.

--output json (or --json) is one document. It begins with "schema" and "schema_version"; fields
are added in later versions, never renamed, removed or given another meaning. Times are RFC 3339
in UTC, or, where their names end in _ns, nanoseconds since 1970; durations are in nanoseconds
(_ns) or milliseconds (_ms), money in nano-dollars (_nanodollars), sizes in bytes. What is not
known is null.

--output jsonl is one document a line, for logs that are long or that go on.

--output csv has a header line and quotes as RFC 4180 does. What is not known is an empty field.

--fields A,B chooses and orders the fields of json, jsonl and csv, and the columns of text.

With json and jsonl an error is also a JSON object on stderr, on one line:
{"schema":"pievt.error",...}.)";

constexpr std::array topic_rows = {
    Topic{"environment", "ENVIRONMENT", environment_text},
    Topic{"exit-codes", "EXIT STATUS", exit_codes_text},
    Topic{"faq", "QUESTIONS", faq_text},
    Topic{"formats", "FORMATS", formats_text},
};
static_assert(std::ranges::adjacent_find(topic_rows, std::ranges::greater_equal{}, &Topic::name) ==
              topic_rows.end());

}  // namespace

std::span<const Topic> topics() {
  return topic_rows;
}

std::string topic_page(const Topic& topic, const render::Terminal& terminal) {
  std::string page = wrap(topic.text, prose_width(terminal), 0);
  if (topic.name != "exit-codes") return page;
  std::vector<std::pair<std::string, std::string>> codes;
  for (const ExitRow& row : exit_rows()) {
    codes.emplace_back(fmt::format("{:>3}  {}", static_cast<int>(row.code), row.name), row.meaning);
  }
  return page + "\n" + definitions(codes, terminal);
}

}  // namespace pievt::tools
