// `pievt restore`: a store from a backup.
#include <array>

#include <fmt/format.h>

#include "pievt/shell_word.h"
#include "pievt/upkeep.h"
#include "tools/verbs/copy_report.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_restore = {
    argument("src", "the backup, or any store").required().completing(Complete::directories),
    argument("dest", "the directory of the new store").required().completing(Complete::directories),
    flag("--verify", "verify the whole copy before it appears under its name"),
    flag("--dry-run", "say what would be restored, and write nothing"),
};

constexpr Manual manual_of_restore = {
    .details =
        "Makes a store from a backup. It has the same id, so events keep their ids and places, and "
        "an append that was in it is known when it comes again. Nothing is ever overwritten: the "
        "destination must not exist, or be an empty directory. It appears when it is whole; a "
        "restore that was cut off is gone on with by the same command.\n\n"
        "Do not go on with both the old store and the restored one: they would be two histories of "
        "one id, and a backup takes only one of them.\n\n"
        "With --verify exits with 5 where the copy is damaged; it is then left in DEST.restoring. "
        "Of a backup that was cut off, what it has is restored; says how far that should have gone "
        "and exits with 4, as where texts are missing; with 5 where texts are damaged.",
    .options = options_of_restore,
    .examples = {{{"pievt restore /mnt/safe/pievt .pievt --verify", "after a disk was lost"},
                  {"pievt restore /mnt/safe/pievt /tmp/look --dry-run", "how much there is"}}},
};

std::string_view word_of(const VerifyReport& report) {
  constexpr std::array words = {"whole", "incomplete", "damaged"};
  return words[static_cast<std::size_t>(report.verdict)];
}

Exit exit_after(const RestoreReport& report) {
  const bool damaged = report.verified && report.verified->verdict == Verdict::damaged;
  if (damaged || exit_of(report.copy) == Exit::corrupt) return Exit::corrupt;
  const bool incomplete = report.verified && report.verified->verdict == Verdict::incomplete;
  return incomplete || report.unfinished ? Exit::evidence : exit_of(report.copy);
}

}  // namespace

const Manual& restore_manual() {
  return manual_of_restore;
}

Result<Exit> restore(Context& context) {
  const std::filesystem::path from = context.arguments.text_or("src", "");
  const std::filesystem::path to = context.arguments.text_or("dest", "");
  const bool preview = context.arguments.has("--dry-run");
  CopyProgress copying(context, "copying"), verifying(context, "verifying");
  RestoreOptions asked;
  asked.preview = preview ? Preview::yes : Preview::no;
  asked.verification = context.arguments.has("--verify") ? Verification::yes : Verification::no;
  asked.progress = copying.function();
  asked.verify_progress = verifying.function();
  const RestoreReport report = PIEVT_TRY(pievt::restore(from, to, asked));
  copying.finish();
  verifying.finish();
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.restore", 1)
        .member("from", from.string())
        .member("store", to.string())
        .member("dry_run", preview)
        .member("restored", report.restored)
        .key("backup_goal");
    if (report.unfinished) {
      json.value(report.unfinished->value);
    } else {
      json.null();
    }
    json.key("verdict");
    if (report.verified) {
      json.value(word_of(*report.verified));
    } else {
      json.null();
    }
    write_copy(json, report.copy);
    json.end_object().end_document();
    return exit_after(report);
  }
  write_problems(context, report.copy);
  context.out.print("{} {}\n", preview ? "would restore" : "copied", copied_text(report.copy));
  if (report.unfinished) {
    context.out.print("the backup was cut off: it ends at @{} and should have gone to @{}\n",
                      report.copy.head.value, report.unfinished->value);
  }
  if (report.verified) context.out.print("verified: {}\n", word_of(*report.verified));
  if (report.restored) {
    context.out.print("{} ends at @{}\n", to.string(), report.copy.head.value);
  } else if (!preview) {
    context.out.print("not put in place: the copy is damaged; see: {}\n",
                      store_command("verify --all", report.stage));
  }
  return exit_after(report);
}

}  // namespace pievt::tools::verbs
