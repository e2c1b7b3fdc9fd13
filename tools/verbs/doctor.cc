// `pievt doctor`: what is wrong around the store, and what to do about it.
#include <array>

#include <unistd.h>

#include <fmt/format.h>

#include "pievt/shell_word.h"
#include "pievt/upkeep.h"
#include "supervisor/launch/environment.h"
#include "supervisor/launch/user_agent.h"
#include "tools/agent_tools/installed.h"
#include "tools/render/sanitise.h"
#include "tools/render/table.h"
#include "tools/render/text.h"
#include "tools/verbs/access.h"
#include "tools/verbs/copy_report.h"

namespace pievt::tools::verbs {
namespace {

using render::Style;

constexpr std::array options_of_doctor = {
    flag("--rebuild", "make everything that follows from the events anew"),
    flag("--dry-run", "with --rebuild: make it, verify it, and do not put it in place"),
};

constexpr Manual manual_of_doctor = {
    .details =
        "Looks at everything around the log: file system, locks, room, HEAD, versions, indexes, "
        "runs nobody works on, leftovers. Every finding ends with the command to run next. Exits "
        "with 1 when there is a finding and with 0 when there is none. The log's content is not "
        "read: that is verify's work.\n\n"
        "With --rebuild, indexes of streams and appends, STORE and HEAD are made anew from the "
        "events alone: a new log beside the old one, verified, put in its place at once. Needs as "
        "much room again. Where events themselves are lost, or texts damaged, it changes nothing "
        "and exits with 5: that is pievt salvage's work.",
    .options = options_of_doctor,
    .examples = {{{"pievt doctor", "what is there to do"},
                  {"pievt doctor --rebuild", "after an index was damaged"}}},
};

void write_json(const Context& context, const DoctorReport& report) {
  render::JsonWriter json = context.json();
  json.begin_document("pievt.doctor", 1).key("store_id");
  if (report.store_id.empty()) {
    json.null();
  } else {
    json.value(report.store_id);
  }
  json.member("findings", report.findings).key("checks").begin_array();
  for (const Diagnosis& check : report.checks) {
    json.begin_object()
        .member("topic", check.topic)
        .member("ok", check.kind == Diagnosis::Kind::fine)
        .member("what", check.what)
        .key("next");
    if (check.next.empty()) {
      json.null();
    } else {
      json.value(check.next);
    }
    json.end_object();
  }
  json.end_array().key("space").begin_array();
  for (const FamilySpace& family : report.space) {
    json.begin_object().member("family", family.family).member("bytes", family.bytes).end_object();
  }
  json.end_array().end_object().end_document();
}

void write_text(const Context& context, const DoctorReport& report) {
  render::Table table({{.title = ""},
                       {.title = ""},
                       {.title = "", .narrow = render::Narrow::shrink, .width_min = 20}});
  for (const Diagnosis& check : report.checks) {
    const bool good = check.kind == Diagnosis::Kind::fine;
    table.row(
        {{good ? "ok" : "SEE", good ? Style::good : Style::bad}, {check.topic}, {check.what}});
  }
  context.out.write(table.render(context.terminal));
  std::string used;
  for (const FamilySpace& family : report.space) {
    if (family.bytes == 0) continue;
    used += fmt::format("{}{} {}", used.empty() ? "" : ", ", family.family,
                        render::bytes_text(family.bytes));
  }
  if (!used.empty()) context.out.print("\nin files: {}\n", used);
  if (report.findings == 0) {
    context.out.line(styled(context.terminal, Style::good, "nothing to do"));
    return;
  }
  context.out.line("");
  for (const Diagnosis& check : report.checks) {
    if (check.kind == Diagnosis::Kind::fine) continue;
    context.out.print("{}: {}\n  {}\n", check.topic, render::one_line(check.what),
                      render::one_line(check.next));
  }
}

Result<Exit> rebuild_store(const Context& context, const std::filesystem::path& store) {
  const bool preview = context.arguments.has("--dry-run");
  CopyProgress progress(context, "rebuilding");
  const RebuildReport report = PIEVT_TRY(rebuild(
      store, {.preview = preview ? Preview::yes : Preview::no, .progress = progress.function()}));
  progress.finish();
  const bool damaged = report.verified.verdict == Verdict::damaged;
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.rebuild", 1)
        .member("store", store.string())
        .member("dry_run", preview)
        .member("replaced", report.replaced)
        .member("verified", !damaged)
        .member("unrepeatable", report.unrepeatable)
        .key("damage")
        .begin_array();
    for (const std::string& damage : report.damage) json.value(damage);
    json.end_array();
    write_copy(json, report.copy);
    json.end_object().end_document();
  } else {
    for (const std::string& damage : report.damage)
      context.out.print("damage: {}\n", render::one_line(damage));
    write_problems(context, report.copy);
    context.out.print("{} {}\n", report.replaced ? "rebuilt" : "made", copied_text(report.copy));
    if (damaged) {
      context.out.print("what was made does not verify, so the old log stays; run: {}\n",
                        store_command("verify --all", store));
    } else {
      context.out.line(report.replaced ? "the store verifies" : "it verifies; nothing was changed");
    }
  }
  return damaged ? Exit::corrupt : exit_of(report.copy);
}

// pi stores the path its extension was installed from, and says nothing when it is gone.
void check_extension(DoctorReport& report) {
  const auto directory = launch::user_agent_dir(launch::read_environment(environ));
  if (!directory.ok()) return;
  const auto settings = launch::read_user_file(*directory / "settings.json");
  if (!settings.ok()) return;
  for (const std::string& path : dangling_extensions(*settings, *directory)) {
    const std::filesystem::path here = extension_file(own_program()).parent_path();
    report.checks.push_back(
        {"extension", Diagnosis::Kind::finding,
         fmt::format("pi is to load {}, which is not there", path),
         here.empty() ? fmt::format("install pievt again (make install), then: pi remove {}", path)
                      : fmt::format("pi remove {}; pi install {}", path, here.string())});
    ++report.findings;
  }
}

}  // namespace

const Manual& doctor_manual() {
  return manual_of_doctor;
}

Result<Exit> doctor(Context& context) {
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  context.talk.say(fmt::format("store {}", store.string()));
  if (context.arguments.has("--rebuild")) return rebuild_store(context, store);
  if (context.arguments.has("--dry-run"))
    return Error{Errc::invalid, "--dry-run: without --rebuild nothing is written"};
  DoctorReport report = PIEVT_TRY(diagnose(store));
  check_extension(report);
  if (context.wants_json()) {
    write_json(context, report);
  } else {
    write_text(context, report);
  }
  return report.findings == 0 ? Exit::ok : Exit::no;
}

}  // namespace pievt::tools::verbs
