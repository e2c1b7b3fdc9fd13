// `pievt why run/job[/attempt]`: why it stands as it does.
#include "tools/audit/why.h"

#include <array>

#include <fmt/format.h>

#include "pievt/query.h"
#include "tools/audit/text.h"
#include "tools/audit/words.h"
#include "tools/verbs/access.h"
#include "tools/verbs/rulesets.h"

namespace pievt::tools::verbs {
namespace {

using audit::Why;
using audit::WhyVerdict;
using render::Style;

constexpr std::array options_of_why = {
    argument("job", "RUN/JOB or RUN/JOB/ATTEMPT; of RUN alone, every job that did not succeed")
        .completing(Complete::jobs),
    value("--ruleset", "NAME", "judge the same facts by these rules too"),
};

constexpr Manual manual_of_why = {
    .details =
        "The rule that decided and the ruleset it belongs to, the checks with what they saw, the "
        "events it rests on, the way back to the first cause, and what would have changed the "
        "verdict. #812 is an event of the run: pievt log RUN --at 812 shows what was known then. "
        "It exits with 1 where the job did not succeed.",
    .options = options_of_why,
    .examples = {{{"pievt why last/intro", "why that job ended as it did"},
                  {"pievt why last/intro --ruleset pi-jobs-0.5",
                   "and what pi-jobs would have said"}}},
};

std::string status_word(const WhyVerdict& verdict) {
  std::string word = schema::EnumNameJobStatus(verdict.status);
  if (verdict.failure != schema::FailureKind::none &&
      verdict.failure != schema::FailureKind::unknown)
    word += fmt::format(", {}", schema::EnumNameFailureKind(verdict.failure));
  return word;
}

class Page {
 public:
  explicit Page(Context& context) : context_(context) {}

  void write(const Why& why) {
    const bool good = why.recorded.status == schema::JobStatus::succeeded;
    const std::string who = why.attempt == 0 ? why.job : fmt::format("{}/{}", why.job, why.attempt);
    line(fmt::format("{}/{}  {}", why.run_id, audit::shortened(who, 200),
                     render::styled(context_.terminal,
                                    good        ? Style::good
                                    : why.ended ? Style::bad
                                                : Style::warn,
                                    why.ended ? status_word(why.recorded) : "not ended")));
    row("reason", audit::shortened(why.recorded.reason, 300));
    row("rule",
        fmt::format("{} ({})", why.recorded.rule,
                    why.recorded.ruleset.empty() ? "no ruleset named" : why.recorded.ruleset));
    row("cause", why.first_cause + events(why.first_cause_events));
    if (why.recorded.ending != schema::WorkEnding::unknown)
      row("work ended", schema::EnumNameWorkEnding(why.recorded.ending));
    for (const std::string& weak : why.recorded.weak) row("weak", weak);
    for (const audit::WhyCheck& check : why.checks) write_check(check);
    for (const std::string& each : why.earlier) row("before", each);
    row("rests on", events(why.evidence));
    if (why.judged) write_judged(why, *why.judged);
    if (!why.chain.empty()) line("how it came to this, newest first");
    for (const audit::WhyStep& step : why.chain) write_step(step);
    if (!why.would_change.empty()) line("what would have changed it");
    for (const std::string& each : why.would_change) line("  - " + each);
  }

 private:
  void line(const std::string& text) { context_.out.line(text); }
  void row(std::string_view label, const std::string& text) {
    if (!text.empty()) line(fmt::format("  {:<11} {}", label, text));
  }
  static std::string events(const audit::Events& list) {
    const std::string text = audit::events_text(list, 8);
    return text.empty() ? "" : "  " + text;
  }

  void write_check(const audit::WhyCheck& check) {
    const bool met = check.status == schema::CheckStatus::passed;
    row("check",
        fmt::format("{} {} {}{}: saw {}{}  #{}",
                    render::styled(context_.terminal, met ? Style::good : Style::bad,
                                   met ? "met" : schema::EnumNameCheckStatus(check.status)),
                    check.kind, check.target,
                    check.expected.empty() ? "" : fmt::format(", wanted {}", check.expected),
                    check.actual.empty() ? "nothing recorded" : check.actual,
                    check.excerpt.empty() ? "" : fmt::format(" \"{}\"", check.excerpt),
                    check.revision));
  }

  void write_step(const audit::WhyStep& step) {
    const std::string time =
        step.at_ns == 0
            ? ""
            : render::clock_text(static_cast<std::int64_t>(step.at_ns), context_.globals.zone) +
                  "  ";
    line(fmt::format("  #{:<6} {}{:<22} {}{}", step.revision, time, step.type, step.text,
                     step.causation == 0 ? "" : fmt::format("  (because of #{})", step.causation)));
  }

  void write_judged(const Why& why, const WhyVerdict& judged) {
    const bool same =
        judged.status == why.recorded.status && judged.failure == why.recorded.failure;
    row(judged.ruleset,
        fmt::format("{}: {} ({}){}", status_word(judged), audit::shortened(judged.reason, 200),
                    judged.rule, same ? "; it agrees" : "; it differs"));
    for (const std::string& weak : judged.weak) row("", "weak: " + weak);
  }

  Context& context_;
};

void write_verdict(render::JsonWriter& json, const WhyVerdict& verdict) {
  json.begin_object()
      .member("ruleset", verdict.ruleset)
      .member("status", schema::EnumNameJobStatus(verdict.status))
      .member("failure", schema::EnumNameFailureKind(verdict.failure))
      .member("ending", schema::EnumNameWorkEnding(verdict.ending))
      .member("blocking", schema::EnumNameBlockingGate(verdict.blocking))
      .member("retry", schema::EnumNameRetryDecision(verdict.retry))
      .member("reason", verdict.reason)
      .member("rule", verdict.rule)
      .member("event", verdict.revision);
  json.key("weak").begin_array();
  for (const std::string& each : verdict.weak) json.value(each);
  json.end_array().end_object();
}

void write_numbers(render::JsonWriter& json, std::string_view key, const audit::Events& events) {
  json.key(key).begin_array();
  for (const std::uint64_t event : events) json.value(event);
  json.end_array();
}

void write_members(render::JsonWriter& json, const Why& why) {
  json.member("run", why.run_id).member("job", why.job).member("attempt", why.attempt);
  json.member("ended", why.ended).key("recorded");
  write_verdict(json, why.recorded);
  json.key("judged");
  if (why.judged) {
    write_verdict(json, *why.judged);
  } else {
    json.null();
  }
  json.member("first_cause", why.first_cause);
  write_numbers(json, "first_cause_events", why.first_cause_events);
  json.key("checks").begin_array();
  for (const audit::WhyCheck& check : why.checks) {
    json.begin_object()
        .member("kind", check.kind)
        .member("target", check.target)
        .member("status", schema::EnumNameCheckStatus(check.status))
        .member("expected", check.expected)
        .member("actual", check.actual)
        .member("excerpt", check.excerpt)
        .member("event", check.revision)
        .end_object();
  }
  json.end_array();
  write_numbers(json, "evidence", why.evidence);
  json.key("chain").begin_array();
  for (const audit::WhyStep& step : why.chain) {
    json.begin_object().member("event", step.revision).key("time");
    if (step.at_ns == 0) {
      json.null();
    } else {
      json.value(render::rfc3339(static_cast<std::int64_t>(step.at_ns), render::Zone::utc,
                                 render::Precision::nanoseconds));
    }
    json.member("type", step.type)
        .member("text", step.text)
        .member("causation", step.causation)
        .end_object();
  }
  json.end_array();
  for (const auto& [key, texts] :
       {std::pair("earlier", &why.earlier), std::pair("would_change", &why.would_change)}) {
    json.key(key).begin_array();
    for (const std::string& each : *texts) json.value(each);
    json.end_array();
  }
}

// Every job that did not succeed, where only the run was named.
std::vector<std::uint32_t> jobs_of(const RunState& run, const Reference& reference) {
  if (reference.job) return {*reference.job};
  std::vector<std::uint32_t> jobs;
  for (const auto& job : run.jobs) {
    if (job->phase == state::JobPhase::finished && job->status != schema::JobStatus::succeeded)
      jobs.push_back(job->number);
  }
  return jobs;
}

}  // namespace

const Manual& why_manual() {
  return manual_of_why;
}

Result<Exit> why(Context& context) {
  const Ruleset* ruleset = PIEVT_TRY(chosen_ruleset(context));
  const Log log = PIEVT_TRY(open_to_read(context));
  const auto [reference, at, run] =
      PIEVT_TRY(look(context, log, context.arguments.text_or("job", "last")));
  if (reference.job && *reference.job == 0)
    return Error{Errc::invalid, "a probe has no verdict; pievt show RUN/_probe says how it ended"};
  say_scope(context, log, reference.run, at);
  std::vector<Why> all;
  for (const std::uint32_t job : jobs_of(run, reference))
    all.push_back(PIEVT_TRY(audit::explain(log, run, job, reference.attempt.value_or(0), ruleset)));
  if (all.empty()) context.talk.say("no job of this run failed; name one to hear why it succeeded");
  context.pager.begin();
  if (context.wants_json()) {
    auto json = context.json();
    json.begin_document("pievt.why", 1).key("items").begin_array();
    for (const Why& each : all) {
      json.begin_object();
      write_members(json, each);
      json.end_object();
    }
    json.end_array().end_object().end_document();
  } else {
    Page page(context);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i > 0) context.out.line("");
      page.write(all[i]);
    }
  }
  const bool good = std::ranges::all_of(all, [](const Why& each) {
    return each.ended && each.recorded.status == schema::JobStatus::succeeded;
  });
  return good ? Exit::ok : Exit::no;
}

}  // namespace pievt::tools::verbs
