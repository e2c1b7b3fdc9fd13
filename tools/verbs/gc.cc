// `pievt gc`: what nobody refers to any more goes.
#include <array>
#include <optional>

#include <fmt/format.h>

#include "pievt/upkeep.h"
#include "supervisor/launch/attempt_files.h"
#include "supervisor/launch/directory.h"
#include "supervisor/launch/remove_tree.h"
#include "supervisor/turn/worktrees.h"
#include "tools/render/text.h"
#include "tools/verbs/access.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_gc = {
    flag("--dry-run", "say what would go, and remove nothing"),
};

constexpr Manual manual_of_gc = {
    .details =
        "Removes texts and captured output that no event refers to (what was put by somebody who "
        "died before the event was written) and the directories of attempts that have been judged "
        "and whose output is in the store. Events are never removed. Where pievt seal --remove was "
        "cut off or had to wait, its removal is finished.\n\n"
        "Takes the writer's role for as long as it works: while somebody writes to the store it "
        "exits with 3 and touches nothing. Output of runs that are not finished is kept; so are "
        "the files of attempts while their run is being supervised, and all texts while a process "
        "lives that has appended to the store through a writer that is gone.",
    .options = options_of_gc,
    .examples = {{{"pievt gc --dry-run", "what would go, and how much that is"},
                  {"pievt gc -o json", "the same, done, for scripts"}}},
};

// What the regular files below a directory take; links are not followed.
std::uint64_t bytes_below(const std::filesystem::path& directory) {
  std::uint64_t bytes = 1;  // of the directory itself, so that an empty one is not "nothing"
  std::error_code failed;
  using Walk = std::filesystem::recursive_directory_iterator;
  for (auto at = Walk(directory, failed); !failed && at != Walk(); at.increment(failed)) {
    std::error_code unknown;
    if (!at->is_symlink(unknown) && at->is_regular_file(unknown)) bytes += at->file_size(unknown);
  }
  return bytes;
}

// A worktree that was made is kept until its removal is recorded: somebody may have to look at it.
Result<bool> is_needed(const Log& log, const launch::AttemptName& name) {
  const RunState run = PIEVT_TRY(load_run(log, name.run));
  for (const auto& job : run.jobs)
    for (const auto& attempt : job->attempts)
      if (job->id == name.job && attempt->number == name.number) return !attempt->worktree.empty();
  return true;
}

Result<std::uint64_t> remove_worktree(const std::filesystem::path& store, const Log& log,
                                      const launch::AttemptName& name, Preview preview) {
  const std::filesystem::path directory = supervisor::worktree_path(store, name).parent_path();
  std::error_code failed;
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(directory, failed)) ||
      PIEVT_TRY(is_needed(log, name)))
    return std::uint64_t{0};
  const std::uint64_t bytes = bytes_below(directory);
  if (preview == Preview::no) {
    const auto parent = PIEVT_TRY(launch::open_directory(directory.parent_path()));
    PIEVT_TRY(launch::remove_tree(parent.get(), directory.filename().string(), directory));
  }
  return bytes;
}

Result<std::uint64_t> remove_attempt(const std::filesystem::path& store,
                                     const launch::AttemptName& name, Preview preview) {
  const std::filesystem::path directory = launch::attempt_files(store, name).directory;
  std::error_code failed;
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(directory, failed)))
    return std::uint64_t{0};
  const std::uint64_t bytes = bytes_below(directory);
  if (preview == Preview::no) PIEVT_TRY(launch::remove_attempt_files(store, name));
  return bytes;
}

}  // namespace

const Manual& gc_manual() {
  return manual_of_gc;
}

Result<Exit> gc(Context& context) {
  const std::filesystem::path store = std::filesystem::absolute(PIEVT_TRY(store_path(context)));
  context.talk.say(fmt::format("store {}", store.string()));
  const bool preview = context.arguments.has("--dry-run");
  GcOptions asked;
  asked.preview = preview ? Preview::yes : Preview::no;
  std::optional<Log> log;
  asked.remove_attempt = [&](const std::string& run, const std::string& job, std::uint32_t attempt,
                             Preview how) -> Result<std::uint64_t> {
    const launch::AttemptName name{run, job.empty() ? "_probe" : job, attempt};
    if (!log) log.emplace(PIEVT_TRY(Log::open(store, {.mode = OpenMode::read})));
    const std::uint64_t tree = PIEVT_TRY(remove_worktree(store, *log, name, how));
    return tree + PIEVT_TRY(remove_attempt(store, name, how));
  };
  const GcReport report = PIEVT_TRY(collect_garbage(store, asked));
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.gc", 1)
        .member("store", store.string())
        .member("dry_run", preview)
        .member("texts", report.texts)
        .member("chunks", report.chunks)
        .member("output_chunks", report.output_chunks)
        .member("sealed_texts", report.sealed_texts)
        .member("sealed_output_chunks", report.sealed_output_chunks)
        .member("bytes", report.bytes)
        .member("kept_for_runs", report.kept_for_runs)
        .member("kept_for_processes", report.kept_for_processes)
        .member("attempts", report.attempts)
        .member("attempt_bytes", report.attempt_bytes)
        .member("kept_attempts", report.kept_attempts)
        .end_object()
        .end_document();
    return Exit::ok;
  }
  context.out.print("{} {}, {} and {} of output: {}\n", preview ? "would remove" : "removed",
                    render::plural(report.texts + report.sealed_texts, "text"),
                    render::plural(report.chunks, "chunk"),
                    render::plural(report.output_chunks + report.sealed_output_chunks, "chunk"),
                    render::bytes_text(report.bytes));
  if (report.sealed_texts + report.sealed_output_chunks > 0) {
    context.out.print("of these {} and {} of output were of runs that had been sealed\n",
                      render::plural(report.sealed_texts, "text"),
                      render::plural(report.sealed_output_chunks, "chunk"));
  }
  context.out.print("{} the files of {}: {}\n", preview ? "would remove" : "removed",
                    render::plural(report.attempts, "attempt"),
                    render::bytes_text(report.attempt_bytes));
  if (report.kept_attempts > 0) {
    context.out.print("kept the files of {}, whose runs are being supervised: {}\n",
                      render::plural(report.kept_attempts, "attempt"),
                      fmt::join(report.supervised, ", "));
  }
  if (report.kept_for_runs > 0) {
    context.out.print("kept {} of output for runs that are not finished\n",
                      render::plural(report.kept_for_runs, "chunk"));
  }
  if (report.kept_for_processes > 0) {
    context.out.print(
        "kept {} that a process may yet refer to: {}\n",
        render::plural(report.kept_for_processes, "text or chunk", "texts and chunks"),
        fmt::join(report.processes, ", "));
  }
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
