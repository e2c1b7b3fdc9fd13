// `pievt backup`: a copy of the store, made and added to beside whoever writes.
#include <array>

#include <fmt/format.h>

#include "tools/verbs/access.h"
#include "tools/verbs/copy_report.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_backup = {
    argument("dest", "the directory of the backup; made where it is not there")
        .required()
        .completing(Complete::directories),
    flag("--dry-run", "say what would be copied, and write nothing"),
};

constexpr Manual manual_of_backup = {
    .details =
        "Copies every event that the backup does not have yet, with the texts and the output that "
        "events refer to. Works beside a running pievt and does not hold it up. The backup is, at "
        "every moment, a whole beginning of the log: cut off, it knows that it is (verify and "
        "restore say so, exit 4), and is gone on with by the next one. "
        "Everything is checked against checksums and the hash chain on the way.\n\n"
        "A backup is a store that is only read: pievt runs --store DEST. pievt restore makes one "
        "of it that can be written. Files of attempts that are running are not part of it, and "
        "what "
        "the store forgets later, it keeps.\n\n"
        "Exits with 4 where texts are missing and with 5 where some are damaged; everything else "
        "is copied then.",
    .options = options_of_backup,
    .examples = {{{"pievt backup /mnt/safe/pievt", "everything new since the last time"},
                  {"pievt backup /mnt/safe/pievt --dry-run", "how much that would be"}}},
};

}  // namespace

const Manual& backup_manual() {
  return manual_of_backup;
}

Result<Exit> backup(Context& context) {
  const Log log = PIEVT_TRY(open_to_read(context));
  say_scope(context, log, {}, {});
  const std::filesystem::path to = context.arguments.text_or("dest", "");
  const Preview preview = context.arguments.has("--dry-run") ? Preview::yes : Preview::no;
  CopyProgress progress(context, "copying");
  const CopyReport report =
      PIEVT_TRY(pievt::backup(log, to, {.preview = preview, .progress = progress.function()}));
  progress.finish();
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.backup", 1)
        .member("store_id", log.info().store_id)
        .member("backup", to.string())
        .member("dry_run", preview == Preview::yes);
    write_copy(json, report);
    json.end_object().end_document();
    return exit_of(report);
  }
  write_problems(context, report);
  context.out.print("{} {}\n", preview == Preview::yes ? "would copy" : "copied",
                    copied_text(report));
  context.out.print("{} {} @{}\n", to.string(),
                    preview == Preview::yes ? "would end at" : "ends at", report.head.value);
  return exit_of(report);
}

}  // namespace pievt::tools::verbs
