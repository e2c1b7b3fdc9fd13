// `pievt apply [RUN]`: accepted patches into the user's tree.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "supervisor/launch/run_lock.h"
#include "supervisor/turn/apply_patches.h"
#include "tools/render/listing.h"
#include "tools/verbs/access.h"

namespace pievt::tools::verbs {
namespace {

using render::Fact;
using schema::ApplyResult;

constexpr std::array options_of_apply = {
    argument("run", "which run; the last one when left out").completing(Complete::runs),
    value("--job", "JOB", "only the patch of this job").repeatable().completing(Complete::jobs),
    flag("--dry-run", "only say what would happen"),
};

constexpr Manual manual_of_apply = {
    .details =
        "What a job with \"isolation\": \"worktree\" made is stored as one patch against the "
        "commit it started at. This brings the patches of jobs that succeeded into your "
        "repository's files, one job after the other. Each file is merged from its base, from "
        "what you have, and from what the job made of it; your commits, index and branches are "
        "not touched, and no git is run in your tree.\n\n"
        "A patch is applied whole or not at all. Where it conflicts, nothing of it is applied and "
        "the files are listed; the others go on. When the machine stops in the middle, the next "
        "pievt apply completes or undoes what was begun. A patch can also be read with pievt cat "
        "and applied by git.",
    .options = options_of_apply,
    .examples = {{{"pievt apply last --dry-run", "which files would change, and which conflict"},
                  {"pievt apply last --job intro", "one job's work"}}},
    .outputs = Outputs::everything,
};

render::ListingShape shape() {
  using render::Align;
  using render::Narrow;
  constexpr auto hidden = render::ListingColumn::Shown::on_request;
  return {
      "pievt.apply",
      1,
      {{"job", {.title = "JOB", .importance = 9}},
       {"result", {.title = "RESULT", .importance = 10}},
       {"files", {.title = "FILES", .align = Align::right, .importance = 7}},
       {"detail", {.title = "DETAIL", .narrow = Narrow::shrink, .width_min = 12, .importance = 8}},
       {"changed", {.title = "CHANGED"}, hidden},
       {"conflicts", {.title = "CONFLICTS"}, hidden},
       {"target", {.title = "TARGET"}, hidden},
       {"base_commit", {.title = "BASE"}, hidden}}};
}

std::string lines(const std::vector<std::string>& all) {
  return fmt::format("{}", fmt::join(all, "\n"));
}

std::string word(ApplyResult result, bool dry) {
  switch (result) {
    case ApplyResult::applied:
      return dry ? "would apply" : "applied";
    case ApplyResult::conflict:
      return "conflict";
    case ApplyResult::nothing_to_do:
      return "nothing to do";
    default:
      return "refused";
  }
}

Result<std::vector<std::uint32_t>> wanted_jobs(const Context& context, const RunState& run) {
  std::vector<std::uint32_t> numbers;
  for (const std::string& id : context.arguments.all("--job")) {
    const auto found = std::ranges::find(run.jobs, id, [](const auto& job) { return job->id; });
    if (found == run.jobs.end())
      return Error{Errc::not_found, fmt::format("run {} has no job {}", run.run_id, id)};
    numbers.push_back((*found)->number);
  }
  return numbers;
}

}  // namespace

const Manual& apply_manual() {
  return manual_of_apply;
}

Result<Exit> apply(Context& context) {
  const bool dry = context.arguments.has("--dry-run");
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write, .program = "pievt apply"}));
  const Reference ref = PIEVT_TRY(resolve(context, log, context.arguments.text_or("run", "last")));
  const launch::RunLock lock = PIEVT_TRY(launch::RunLock::acquire(store, ref.run, "pievt apply"));
  const auto turn = PIEVT_TRY(supervisor::ApplyLock::take(store));
  for (const std::string& sentence : turn.recovered()) context.talk.warn(sentence);
  PIEVT_TRY(log.refresh());
  supervisor::RunRecord record(log, ref.run, PIEVT_TRY(load_run(log, ref.run)));
  const auto jobs = PIEVT_TRY(wanted_jobs(context, record.state()));
  const auto choice = PIEVT_TRY(supervisor::accepted_patches(record, jobs));
  render::Listing listing = PIEVT_TRY(
      render::Listing::create(context.out, context.terminal, listing_format(context.globals.output),
                              shape(), context.globals.fields));
  say_scope(context, log, ref.run, {});
  Exit exit = Exit::ok;
  for (const auto& patch : choice.patches) {
    const auto done = PIEVT_TRY(supervisor::apply_patch(
        record, patch, dry ? supervisor::ApplyMode::dry_run : supervisor::ApplyMode::apply));
    const bool bad = done.result == ApplyResult::conflict || done.result == ApplyResult::refused;
    if (bad) exit = Exit::no;
    const std::string detail =
        done.conflicts.empty() ? done.detail : fmt::format("{}", fmt::join(done.conflicts, "; "));
    listing.row({Fact::text(patch.job),
                 Fact::text(word(done.result, dry), bad ? render::Style::bad : render::Style::good),
                 Fact::count(done.files.size()), Fact::text(detail), Fact::text(lines(done.files)),
                 Fact::text(lines(done.conflicts)), Fact::text(patch.target),
                 Fact::text(patch.commit)});
  }
  for (const std::string& job : choice.without)
    listing.row({Fact::text(job), Fact::text("nothing to do"), Fact::count(0),
                 Fact::text("it changed nothing"), Fact::text(""), Fact::text(""), Fact::text(""),
                 Fact::text("")});
  listing.finish("no job of this run has a patch: only \"isolation\": \"worktree\" makes one");
  PIEVT_TRY(log.close());
  return exit;
}

}  // namespace pievt::tools::verbs
