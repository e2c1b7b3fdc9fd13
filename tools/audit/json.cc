#include "tools/audit/json.h"

#include "tools/render/text.h"

namespace pievt::audit {
namespace {

using render::JsonWriter;

void write_events(JsonWriter& json, const Events& events) {
  json.key("events").begin_array();
  for (const std::uint64_t event : events) json.value(event);
  json.end_array();
}

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_findings(JsonWriter& json, std::string_view key, const std::vector<Finding>& list) {
  json.key(key).begin_array();
  for (const Finding& each : list) {
    json.begin_object().member("text", each.text);
    write_events(json, each.events);
    json.end_object();
  }
  json.end_array();
}

void write_ids(JsonWriter& json, std::string_view key, const RunReport& report,
               const std::vector<std::uint32_t>& jobs) {
  json.key(key).begin_array();
  for (const std::uint32_t job : jobs) json.value(job_id(report, job));
  json.end_array();
}

void write_time(JsonWriter& json, std::string_view key, std::uint64_t ns) {
  json.key(key);
  if (ns == 0) {
    json.null();
  } else {
    json.value(render::rfc3339(static_cast<std::int64_t>(ns), render::Zone::utc,
                               render::Precision::nanoseconds));
  }
}

void write_causes(JsonWriter& json, const RunReport& report) {
  json.key("causes").begin_array();
  for (const Cause& cause : report.causes) {
    json.begin_object()
        .member("number", cause.number)
        .member("kind", schema::EnumNameFailureKind(cause.kind))
        .member("ending", schema::EnumNameWorkEnding(cause.ending))
        .member("title", cause.title)
        .member("seen", cause.seen);
    write_ids(json, "jobs", report, cause.jobs);
    write_ids(json, "consequences", report, cause.consequences);
    write_time(json, "begin", cause.begin_ns);
    write_time(json, "end", cause.end_ns);
    write_texts(json, "details", cause.details);
    write_events(json, cause.events);
    json.member("command", cause.command).end_object();
  }
  json.end_array();
}

void write_usable(JsonWriter& json, const RunReport& report) {
  json.key("usable").begin_array();
  for (const Usable& each : report.usable) {
    json.begin_object()
        .member("job", job_id(report, each.job))
        .member("accepted", each.accepted)
        .member("verdict", each.verdict);
    json.key("products").begin_array();
    for (const Product& product : each.products) {
      json.begin_object().member("path", product.path).key("bytes");
      if (product.bytes) {
        json.value(*product.bytes);
      } else {
        json.null();
      }
      json.end_object();
    }
    json.end_array();
    write_findings(json, "weak", each.weak);
    json.end_object();
  }
  json.end_array();
}

void write_actions(JsonWriter& json, const RunReport& report) {
  json.key("actions").begin_array();
  for (const Action& action : report.actions) {
    json.begin_object()
        .member("text", action.text)
        .member("command", action.command)
        .member("jobs", action.jobs)
        .key("cost_nanodollars");
    if (action.nanodollars) {
      json.value(*action.nanodollars);
    } else {
      json.null();
    }
    json.member("priced_by", action.priced_by);
    write_texts(json, "details", action.details);
    json.end_object();
  }
  json.end_array();
}

void write_jobs(JsonWriter& json, const RunReport& report) {
  json.key("jobs").begin_array();
  for (const JobRow& row : report.jobs) {
    json.begin_object()
        .member("id", row.id)
        .member("status", schema::EnumNameJobStatus(row.status))
        .member("ended", row.ended)
        .member("ending", schema::EnumNameWorkEnding(row.ending))
        .member("why", row.why)
        .member("said", row.said)
        .member("attempts", row.attempts)
        .member("duration_ms", row.duration_ms)
        .member("cause", row.cause)
        .member("first_event", row.first_event)
        .member("last_event", row.last_event);
    json.key("spent").begin_object();
    write_spent_members(json, row.spent);
    json.end_object().end_object();
  }
  json.end_array();
}

void write_secrets(JsonWriter& json, const RunReport& report) {
  json.key("secrets").begin_array();
  for (const Secret& secret : report.secrets) {
    json.begin_object()
        .member("rule", secret.rule)
        .member("where", secret.where)
        .member("prefix", secret.prefix)
        .member("bytes", secret.bytes)
        .member("job", job_id(report, secret.job))
        .member("attempt", secret.attempt)
        .member("masked", secret.masked)
        .member("places", secret.places)
        .member("looked_everywhere", secret.looked_everywhere);
    json.key("found_in").begin_array();
    for (const SecretPlace& place : secret.found_in) {
      json.begin_object()
          .member("where", place.where)
          .member("event", place.event)
          .member("times", place.times)
          .end_object();
    }
    json.end_array();
    write_events(json, secret.events);
    json.end_object();
  }
  json.end_array();
}

void write_writes(JsonWriter& json, const RunReport& report) {
  json.key("writes").begin_array();
  for (const WriteRow& row : report.writes) {
    json.begin_object()
        .member("path", row.path)
        .member("job", job_id(report, row.job))
        .member("attempt", row.attempt)
        .member("change", row.change)
        .member("attribution", row.attribution)
        .member("zone", row.zone)
        .member("detail", row.detail);
    write_events(json, row.events);
    json.end_object();
  }
  json.end_array();
  write_texts(json, "writes_note", report.writes_note);
}

void write_again(JsonWriter& json, const RunReport& report) {
  json.key("again").begin_array();
  for (const Relative& other : report.again) {
    json.begin_object()
        .member("run", other.run_id)
        .member("relation", other.relation)
        .member("text", other.text)
        .end_object();
  }
  json.end_array();
  write_texts(json, "again_note", report.again_note);
}

void write_verdicts(JsonWriter& json, const RunReport& report) {
  json.key("verdicts")
      .begin_object()
      .member("recorded_by", report.verdicts.recorded_by)
      .member("judged_by", report.verdicts.judged_by)
      .member("agree", report.verdicts.agree)
      .key("differ")
      .begin_array();
  for (const VerdictRow& row : report.verdicts.differ) {
    json.begin_object()
        .member("job", job_id(report, row.job))
        .member("recorded", schema::EnumNameJobStatus(row.recorded))
        .member("recorded_failure", schema::EnumNameFailureKind(row.recorded_kind))
        .member("judged", schema::EnumNameJobStatus(row.judged))
        .member("judged_failure", schema::EnumNameFailureKind(row.judged_kind))
        .member("reason", row.reason);
    write_events(json, row.events);
    json.end_object();
  }
  json.end_array();
  write_findings(json, "consequences", report.verdicts.consequences);
  json.end_object();
}

void write_violations(JsonWriter& json, const RunReport& report) {
  json.key("violations").begin_array();
  for (const Violation& broken : report.violations) {
    json.begin_object()
        .member("rule", broken.rule)
        .member("text", broken.text)
        .member("job", job_id(report, broken.job))
        .member("attempt", broken.attempt);
    write_events(json, broken.events);
    json.end_object();
  }
  json.end_array();
}

std::string_view name_of(Integrity integrity) {
  switch (integrity) {
    case Integrity::whole:
      return "whole";
    case Integrity::incomplete:
      return "incomplete";
    case Integrity::damaged:
      break;
  }
  return "damaged";
}

}  // namespace

void write_spent_members(JsonWriter& json, const Spent& spent) {
  json.member("requests", spent.requests).member("unreported_requests", spent.unreported);
  // What nobody reported is null and not zero.
  const auto number = [&](std::string_view key, auto value) {
    json.key(key);
    if (spent.known()) {
      json.value(value);
    } else {
      json.null();
    }
  };
  number("input_tokens", spent.input_tokens);
  number("output_tokens", spent.output_tokens);
  number("cache_read_tokens", spent.cache_read_tokens);
  number("cache_write_tokens", spent.cache_write_tokens);
  number("total_tokens", spent.total_tokens);
  number("cost_nanodollars", spent.nanodollars);
}

void write_report_members(JsonWriter& json, const RunReport& report) {
  json.member("run", report.run_id)
      .member("name", report.name)
      .member("source", report.source)
      .member("ruleset", report.ruleset)
      .member("status", report.status)
      .member("failed", report.failed)
      .member("ended", report.ended)
      .member("exit", exit_code(report))
      .member("integrity", name_of(report.integrity));
  write_time(json, "begin", report.begin_ns);
  write_time(json, "end", report.end_ns);
  json.member("jobs_ok", report.jobs_ok)
      .member("jobs_failed", report.jobs_failed)
      .member("jobs_total", report.jobs_total)
      .member("attempts", report.attempts)
      .member("concurrency", report.concurrency)
      .member("models", report.models)
      .member("event_count", report.events);
  for (const auto& [key, spent] :
       {std::pair("spent", &report.spent), std::pair("spent_on_failed_jobs", &report.spent_failed),
        std::pair("spent_on_repeated_attempts", &report.spent_retried)}) {
    json.key(key).begin_object();
    write_spent_members(json, *spent);
    json.end_object();
  }
  write_findings(json, "needs_you", report.needs_you);
  write_findings(json, "now", report.now);
  write_causes(json, report);
  write_usable(json, report);
  write_actions(json, report);
  write_findings(json, "timeline", report.timeline);
  write_jobs(json, report);
  write_secrets(json, report);
  write_writes(json, report);
  write_again(json, report);
  write_verdicts(json, report);
  write_violations(json, report);
  write_findings(json, "record", report.record);
  write_texts(json, "unknown", report.unknown);
}

}  // namespace pievt::audit
