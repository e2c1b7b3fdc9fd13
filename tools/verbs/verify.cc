// `pievt verify`: is the record whole, and is it what was written? The exit code is the answer.
#include "pievt/verify.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "pievt/sealed.h"
#include "pievt/shell_word.h"
#include "pievt/upkeep.h"
#include "supervisor/record/clock.h"
#include "tools/render/progress.h"
#include "tools/render/sanitise.h"
#include "tools/render/table.h"
#include "tools/render/text.h"
#include "tools/verbs/access.h"
#include "tools/verbs/sealed_store.h"

namespace pievt::tools::verbs {
namespace {

using render::Style;

constexpr std::array options_of_verify = {
    argument("run", "whose bodies and output; of the last run when left out")
        .completing(Complete::runs),
    flag("--all", "bodies and output of every run"),
};

constexpr Manual manual_of_verify = {
    .details =
        "Reads the whole log: checksums, the hash chain from the first event, gapless "
        "sequences and revisions, the indexes, and saved states folded again. With a run, "
        "every text its events refer to and its captured output; with --all, those of every "
        "run.\n\n"
        "Exits with 0 when everything is as it was written, with 4 when nothing is wrong but "
        "bodies are missing (redacted, for example) or events were lost before a salvage, with 5 "
        "when something is damaged; the last line then says whether everything can be made again "
        "from the events, or what saves the rest. The "
        "chain's value names everything before it: kept elsewhere, it shows later whether "
        "this history was rewritten.\n\n"
        "A sealed FILE is verified alone: every byte of it is under a digest. Its sha256 is what "
        "the store recorded when it was sealed.",
    .options = options_of_verify,
    .examples = {{{"pievt verify --all", "everything, before a backup or after a crash"},
                  {"pievt verify last --json | jq -r .chain",
                   "the value that names this history"}}},
};

constexpr std::size_t findings_shown = 20;

Exit exit_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::whole:
      return Exit::ok;
    case Verdict::incomplete:
      return Exit::evidence;
    case Verdict::damaged:
      break;
  }
  return Exit::corrupt;
}

std::string_view word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::whole:
      return "whole";
    case Verdict::incomplete:
      return "incomplete";
    case Verdict::damaged:
      break;
  }
  return "damaged";
}

// Where a finding is, as one types it: the run's revision where there is one, else the sequence.
std::string place_of(const Finding& finding) {
  std::string place;
  if (!finding.stream.empty()) place = finding.stream + " ";
  if (finding.revision.value != 0) place += fmt::format("#{} ", finding.revision.value);
  if (finding.sequence.value != 0) place += fmt::format("@{} ", finding.sequence.value);
  if (finding.page.value != 0) place += fmt::format("page @{} ", finding.page.value);
  if (!place.empty()) place.back() = ':';
  return render::one_line(place) + (place.empty() ? "" : " ");
}

void write_json(const Context& context, const VerifyReport& report, const std::string& run,
                const std::string& store_id) {
  const auto number = [](render::JsonWriter& json, std::string_view key, std::uint64_t value) {
    json.key(key);
    if (value == 0) {
      json.null();
    } else {
      json.value(value);
    }
  };
  render::JsonWriter json = context.json();
  json.begin_document("pievt.verify", 1).member("store_id", store_id).key("run");
  if (run.empty()) {
    json.null();
  } else {
    json.value(run);
  }
  json.member("verdict", word_of(report.verdict)).key("remedy");
  if (report.remedy == Remedy::none) {
    json.null();
  } else {
    json.value(report.remedy == Remedy::rebuild ? "rebuild" : "salvage");
  }
  json.member("head", report.head.value).key("chain");
  if (report.chain.empty()) {
    json.null();
  } else {
    json.value(report.chain);
  }
  json.key("checks").begin_array();
  for (const VerifyCheck& check : report.checks) {
    json.begin_object()
        .member("name", check.name)
        .member("question", check.question)
        .member("examined", check.examined)
        .member("findings", check.findings)
        .end_object();
  }
  json.end_array().member("findings_total", report.findings_total).key("findings").begin_array();
  for (const Finding& finding : report.findings) {
    json.begin_object()
        .member("check", finding.check)
        .member("severity", finding.severity == Severity::damaged ? "damaged" : "missing")
        .member("what", finding.what);
    number(json, "page", finding.page.value);
    number(json, "sequence", finding.sequence.value);
    json.key("stream");
    if (finding.stream.empty()) {
      json.null();
    } else {
      json.value(finding.stream);
    }
    number(json, "revision", finding.revision.value);
    json.end_object();
  }
  json.end_array().end_object().end_document();
}

// One fault can be behind many findings; the first ones tell which.
void write_findings(const Context& context, const VerifyReport& report) {
  const std::size_t shown = context.globals.loudness == Loudness::verbose
                                ? report.findings.size()
                                : std::min(report.findings.size(), findings_shown);
  if (shown > 0) context.out.line("");
  for (const Finding& finding : std::span(report.findings).first(shown)) {
    const Style style = finding.severity == Severity::damaged ? Style::bad : Style::warn;
    context.out.print("{} {}{}\n", styled(context.terminal, style, finding.check),
                      place_of(finding), render::one_line(finding.what));
  }
  if (report.findings_total > shown) {
    context.out.print("and {} more; {}\n", report.findings_total - shown,
                      shown < report.findings.size() ? "-v lists them" : "they were only counted");
  }
}

// `store`: empty where it is a sealed file.
std::string damaged_text(const VerifyReport& report, const std::filesystem::path& store) {
  switch (report.remedy) {
    case Remedy::none:
      break;
    case Remedy::rebuild:
      return fmt::format("DAMAGED, but not the events: run {}",
                         store_command("doctor --rebuild", store));
    case Remedy::salvage:
      return fmt::format(
          "DAMAGED: this is not what was written; restore a backup, or save the "
          "rest: {}",
          salvage_command(store));
  }
  return "DAMAGED: this is not what was written; restore a backup";
}

void write_text(const Context& context, const VerifyReport& report,
                const std::filesystem::path& store) {
  const render::Terminal& terminal = context.terminal;
  render::Table table({{.title = ""},
                       {.title = ""},
                       {.title = "", .align = render::Align::right},
                       {.title = "", .narrow = render::Narrow::shrink, .width_min = 20}});
  for (const VerifyCheck& check : report.checks) {
    const bool asked = check.examined > 0;
    const bool clean = check.findings == 0;
    table.row(
        {{clean ? (asked ? "ok" : "-") : "BAD",
          clean ? (asked ? Style::good : Style::dim) : Style::bad},
         {check.name},
         {clean ? render::count_text(check.examined) : render::plural(check.findings, "finding")},
         {check.question, Style::dim}});
  }
  context.out.write(table.render(terminal));
  write_findings(context, report);
  if (!report.chain.empty()) {
    context.out.print("\nchain {} after @{}\n", report.chain, report.head.value);
  }
  switch (report.verdict) {
    case Verdict::whole:
      context.out.line(styled(terminal, Style::good, "whole: everything is as it was written"));
      return;
    case Verdict::incomplete:
      context.out.line(styled(terminal, Style::warn,
                              "incomplete: what is there is as it was written, but not "
                              "everything is there"));
      return;
    case Verdict::damaged:
      context.out.line(styled(terminal, Style::bad, damaged_text(report, store)));
      return;
  }
}

// Empty: all of it, which is also right for a store without runs.
Result<std::string> run_to_verify(const Context& context, const Log& log) {
  if (context.arguments.has("--all")) return std::string();
  if (const auto word = context.arguments.text("run")) {
    return PIEVT_TRY(whole_run(context, log, *word));
  }
  const RunList runs = PIEVT_TRY(load_runs(log));
  return runs.runs.empty() ? std::string() : runs.runs.back()->run_id;
}

// A sealed file by itself: no store is asked.
Result<Exit> verify_file(Context& context, const std::filesystem::path& file) {
  context.talk.say(fmt::format("sealed run {}", file.string()));
  const VerifyReport report = PIEVT_TRY(verify_sealed(file));
  const std::string sum = PIEVT_TRY(sha256_of_file(file));
  const auto run = PIEVT_TRY(open_sealed(file));
  if (context.wants_json()) {
    write_json(context, report, run->run_id(), run->origin());
  } else {
    write_text(context, report, {});
    context.out.print("sha256 {}\n", sum);
  }
  return exit_of(report.verdict);
}

}  // namespace

const Manual& verify_manual() {
  return manual_of_verify;
}

Result<Exit> verify(Context& context) {
  if (context.arguments.has("--all") && context.arguments.has("run")) {
    return Error{Errc::invalid, "name a run or say --all, not both"};
  }
  if (context.globals.at) {
    return Error{Errc::invalid, "--at: a record is whole or not as it lies there now"};
  }
  if (const auto sealed = sealed_word(context.arguments.text_or("run", "")))
    return verify_file(context, sealed->file);
  const Log log = PIEVT_TRY(open_to_read(context));
  VerifyOptions asked;
  asked.run = PIEVT_TRY(run_to_verify(context, log));
  say_scope(context, log, asked.run, {});

  const auto monotonic_now = [] { return static_cast<std::int64_t>(supervisor::boot_now_ns()); };
  render::Progress progress(context.talk.writer(), context.talk.terminal(), "verifying",
                            monotonic_now());
  if (context.globals.loudness != Loudness::quiet) {
    asked.progress = [&](std::uint64_t done, std::uint64_t total) {
      progress.set_total(total);
      progress.at(done, monotonic_now());
    };
  }
  const VerifyReport report = PIEVT_TRY(pievt::verify(log, asked));
  progress.finish();
  if (context.wants_json()) {
    write_json(context, report, asked.run, log.info().store_id);
  } else {
    write_text(context, report, log.info().directory);
  }
  return exit_of(report.verdict);
}

}  // namespace pievt::tools::verbs
