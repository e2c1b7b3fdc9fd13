#include "tools/frame/pages.h"

#include <array>

#include <gmock/gmock.h>

#include "tools/frame/completion_scripts.h"
#include "tools/frame/context.h"
#include "tools/frame/words.h"
#include "tools/render/width.h"

namespace pievt::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

// A table of its own, so that these tests do not change when a verb is added.
constexpr std::array options = {
    argument("run", "which run").completing(Complete::runs),
    argument("plan", "the plan").shown_as("PLAN.json").completing(Complete::files).repeatable(),
    flag("--follow", "go on as [events] arrive: don't stop").with_letter('f'),
    value("--type", "TYPE", "only this type").repeatable(),
    choice("--sort", "time|cost", "order").with_letter('s'),
    flag("--secret", "nobody knows").unlisted(),
};
constexpr Manual manual{
    .details =
        "First paragraph that is long enough to be filled over more than one line of a page.\n\n"
        "  indented stays\n\nSecond.",
    .options = options,
    .examples = {{{"pievt log last -f", "follow"}, {"pievt log --type X", "some"}}}};
const Manual& the_manual() {
  return manual;
}
Result<Exit> nothing(Context&) {
  return Exit::ok;
}

constexpr std::array rows = {
    Verb{"log", Group::read, "events, oldest first", nothing, the_manual},
    Verb{"run", Group::run, "supervise a plan", nothing, the_manual},
    Verb{"verify", Group::trust, "check the record", nothing, the_manual},
};
constexpr std::array<std::string_view, 3> daily = {"run", "absent", "log"};
constexpr Tables tables{rows, daily, {}};

TEST(Words, SplitJoinAndWrap) {
  EXPECT_THAT(split("", ','), testing::IsEmpty());
  EXPECT_THAT(split("a,,b,", ','), testing::ElementsAre("a", "", "b", ""));
  EXPECT_EQ(join(split("a|b", '|'), ", "), "a, b");
  EXPECT_EQ(wrap("aa bb cc", 5, 0), "aa bb\ncc\n");
  EXPECT_EQ(wrap("aa bb", 6, 2), "  aa\n  bb\n");
  EXPECT_EQ(wrap("a\nb\n\n  code  stays\nc", 80, 0), "a b\n\n  code  stays\nc\n");
  EXPECT_EQ(wrap("averylongword b", 5, 0), "averylongword\nb\n");
}

TEST(Pages, UsageComesFromTheRows) {
  EXPECT_EQ(usage_line(rows[0]), "pievt log [run] [PLAN.json...] [flags]");
  EXPECT_EQ(flag_text(options[2]), "-f, --follow");
  EXPECT_EQ(flag_text(options[3]), "    --type TYPE");
}

TEST(Pages, TheOverviewShowsDailyVerbsInTheirOrder) {
  const std::string page = overview_page(tables, {});
  EXPECT_THAT(page, HasSubstr("Every day\n  run  supervise a plan\n  log  events, oldest first\n"));
  EXPECT_THAT(page, Not(HasSubstr("verify")));
  EXPECT_THAT(page, Not(HasSubstr("absent")));
}

TEST(Pages, AllVerbsStandUnderTheirGroups) {
  EXPECT_THAT(
      all_verbs_page(tables, {}),
      HasSubstr("Trust: that the record is whole and unedited\n  verify  check the record\n"));
}

TEST(Pages, AVerbsPageHasEverythingButSecrets) {
  const std::string page = verb_page(rows[0], {});
  EXPECT_THAT(page, HasSubstr("  PLAN.json  the plan\n"));
  EXPECT_THAT(page, HasSubstr("      --type TYPE       only this type (may be repeated)\n"));
  EXPECT_THAT(page, HasSubstr("\n  indented stays\n"));
  EXPECT_THAT(page, HasSubstr("  $ pievt log last -f\n      follow\n"));
  EXPECT_THAT(page, HasSubstr("--utc"));
  EXPECT_THAT(page, Not(HasSubstr("--secret")));
}

TEST(Pages, FitTheTerminal) {
  for (const int width : {40, 60, 80, 120}) {
    const render::Terminal terminal{.is_tty = true, .width = width};
    for (const std::string& page :
         {overview_page(tables, terminal), verb_page(rows[0], terminal)}) {
      for (const std::string_view line : split(page, '\n')) {
        EXPECT_LE(render::display_width(line), std::max(width, 41)) << line;
      }
    }
  }
}

TEST(Man, EscapesWhatRoffWouldInterpret) {
  const std::string page = man_page(tables);
  EXPECT_THAT(page, HasSubstr(".SS \"pievt log [run] [PLAN.json...] [flags]\"\n"));
  EXPECT_THAT(page, HasSubstr(".B \"\\-f, \\-\\-follow\"\n"));
  EXPECT_THAT(page, HasSubstr(".SH \"EXIT STATUS\"\n.TP\n.B \"0\"\n"));
  EXPECT_THAT(page, Not(HasSubstr("secret")));
  for (const std::string_view line : split(page, '\n')) {
    const bool text_line = line.empty() || (line[0] != '.' && line[0] != '\'');
    EXPECT_TRUE(text_line || line.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZnf") == 1) << line;
  }
}

TEST(Completion, HoldsVerbsFlagsChoicesAndAsksForNames) {
  const std::string bash = bash_completion(tables);
  EXPECT_THAT(bash, HasSubstr("'') _pievt_words 'log run verify' ;;"));
  EXPECT_THAT(bash, HasSubstr("log' --sort'|log' -s') _pievt_words 'time cost'; return ;;"));
  EXPECT_THAT(bash, HasSubstr("log) _pievt_names runs; _pievt_paths -f;;"));
  const std::string zsh = zsh_completion(tables);
  EXPECT_THAT(
      zsh,
      HasSubstr("'(-f --follow)'{-f,--follow}'[go on as \\[events\\] arrive\\: don'\\''t stop]'"));
  EXPECT_THAT(zsh, HasSubstr("'*''--type[only this type]:TYPE: '"));
  EXPECT_THAT(zsh, HasSubstr("':run:_pievt_names runs'"));
  const std::string fish = fish_completion(tables);
  EXPECT_THAT(
      fish,
      HasSubstr(
          "complete -c pievt -n '__fish_seen_subcommand_from log' -l follow -s f -d 'go on as "
          "[events] arrive: don\\'t stop'"));
  EXPECT_THAT(fish, HasSubstr("-x -a '(pievt completion --candidates runs 2>/dev/null)'"));
  for (const std::string& script : {bash, zsh, fish}) EXPECT_THAT(script, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace pievt::tools
