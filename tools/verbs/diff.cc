// `pievt diff A B`: what differs between two runs, two jobs, two attempts, one run at two moments,
// or two plans.
#include <filesystem>
#include <future>

#include <fmt/format.h>

#include "tools/verbs/access.h"
#include "tools/verbs/diff_output.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_diff = {
    argument("a", "RUN[/JOB[/ATTEMPT]], with @EVENT for how it was then, or a plan file")
        .shown_as("A")
        .required()
        .completing(Complete::jobs),
    argument("b", "the other one; with --to, left out").shown_as("B").completing(Complete::jobs),
    value("--to", "MOMENT", "the same run at a later moment than --at"),
    flag("--exit-code", "exit with 1 where they differ"),
    flag("--stat", "a line for each job that differs"),
    flag("--full", "texts in full, not only their first 40 lines"),
};

constexpr Manual manual_of_diff = {
    .details =
        "Jobs are aligned by their ids, then by what they were asked; attempts by their order; "
        "what "
        "an attempt did (tool calls with their arguments, provider errors, last messages) by its "
        "content, not by its time. The first difference comes first, then all of them, prompts "
        "and outputs as texts. What differs between any two runs (times, ids, process numbers, "
        "places, tokens) is left out, and where a prompt names the run or the attempt it is for, "
        "that name. A job is compared with a job, an attempt with an attempt.\n\n"
        "With plan files, the expanded plans are compared.",
    .options = options_of_diff,
    .examples = {{{"pievt diff last~1 last", "what this run did otherwise than the one before"},
                  {"pievt diff last --at 100 --to 200",
                   "what happened between two of its events"}}},
};

bool is_plan(const std::string& word) {
  std::error_code failed;
  return (word.ends_with(".json") || word.ends_with(".jsonl")) &&
         std::filesystem::is_regular_file(word, failed);
}

struct Named {
  std::string run;
  Revision at;
  std::string label;
  std::optional<std::uint32_t> job, attempt;
};

// `RUN@812` and `RUN@#812` are moments of a run; --at gives one to a word that has none.
Result<Named> named(Context& context, const Log& log, const std::string& word,
                    const std::optional<std::string>& when) {
  const std::size_t mark = word.rfind('@');
  Globals globals = context.globals;
  globals.at = when;
  if (mark != std::string::npos && mark > 0) globals.at = word.substr(mark + 1);
  const std::string name = mark != std::string::npos && mark > 0 ? word.substr(0, mark) : word;
  const Context there{context.tables, context.verb,  context.arguments,
                      globals,        context.out,   context.terminal,
                      context.talk,   context.pager, context.environment};
  const Reference reference = PIEVT_TRY(resolve(context, log, name));
  const Revision at = PIEVT_TRY(moment(there, log, reference.run));
  Named made{reference.run, at, reference.run, reference.job, reference.attempt};
  if (reference.job) {
    const std::size_t last = name.rfind('/');
    made.label += name.substr(reference.attempt ? name.rfind('/', last - 1) : last);
  }
  if (made.at.value != 0) made.label += fmt::format("@{}", made.at.value);
  return made;
}

// Whether one is the other, or the other beside it (see sealed_store.cc).
bool in_one_run(const std::string& a, const std::string& b) {
  return a != b && (a.starts_with(b + "-") || b.starts_with(a + "-"));
}

Result<RunSide> side_of(const Log& log, const Named& named) {
  RunState run = PIEVT_TRY(load_run(log, named.run, named.at));
  RunStory story = PIEVT_TRY(fold_story(log, named.run, named.at));
  return RunSide{named.label, std::move(run), std::move(story), &log};
}

Result<Exit> answer(Context& context, const RunDifference& difference, const DiffBodies& bodies) {
  if (context.wants_json()) {
    write_difference_document(context, difference, bodies);
  } else {
    context.pager.begin();
    write_difference(context, difference, bodies,
                     context.arguments.has("--stat") ? DiffForm::stat : DiffForm::full);
  }
  const bool asked = context.arguments.has("--exit-code");
  return asked && !difference.empty() ? Exit::no : Exit::ok;
}

}  // namespace

const Manual& diff_manual() {
  return manual_of_diff;
}

Result<Exit> diff(Context& context) {
  const Arguments& given = context.arguments;
  const std::string a = given.text_or("a", ""), b = given.text_or("b", "");
  const auto to = given.text("--to");
  if (b.empty() && !to)
    return Error{Errc::invalid, "name two runs or two plans, or one run with --at and --to"};
  if (!b.empty() && to)
    return Error{Errc::invalid, "--to is another moment of one run; with two, write RUN@MOMENT"};
  const std::size_t lines = given.has("--full") ? SIZE_MAX : 40;
  if (is_plan(a) || is_plan(b)) {
    if (!is_plan(a) || !is_plan(b))
      return Error{Errc::invalid, "a plan can only be compared with a plan"};
    return answer(context, PIEVT_TRY(plan_difference(a, b)), {nullptr, lines});
  }
  const Log log = PIEVT_TRY(open_to_read(context));
  Named first = PIEVT_TRY(named(context, log, a, context.globals.at));
  Named second =
      PIEVT_TRY(to ? named(context, log, a, *to) : named(context, log, b, context.globals.at));
  if (first.job.has_value() != second.job.has_value() ||
      first.attempt.has_value() != second.attempt.has_value())
    return Error{Errc::invalid, "name two of a kind: runs, jobs or attempts"};
  // One run, sealed twice: its files tell them apart.
  if (context.opened != nullptr && !b.empty() && in_one_run(first.run, second.run)) {
    first.label = a;
    second.label = b;
  }
  say_scope(context, log, "", {});
  // Folding is the long part, and the two are nothing to each other.
  auto other = std::async(std::launch::async, [&] { return side_of(log, second); });
  Result<RunSide> side_a = side_of(log, first);
  Result<RunSide> side_b = other.get();
  RunSide in_a = PIEVT_TRY(std::move(side_a));
  RunSide in_b = PIEVT_TRY(std::move(side_b));
  if (first.job)
    return answer(context,
                  PIEVT_TRY(difference_of(in_a, {*first.job, first.attempt}, in_b,
                                          {*second.job, second.attempt})),
                  {&log, lines});
  return answer(context, PIEVT_TRY(difference_of(in_a, in_b)), {&log, lines});
}

}  // namespace pievt::tools::verbs
