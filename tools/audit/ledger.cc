#include "tools/audit/ledger.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/query.h"

namespace pievt::audit {
namespace {

Spent spent_by(const schema::UsageRecorded& event) {
  Spent spent;
  spent.requests = 1;
  const schema::Usage* usage = event.usage();
  if (usage == nullptr || event.reported() != schema::Reported::reported) {
    spent.unreported = 1;
    return spent;
  }
  spent.input_tokens = usage->input_tokens();
  spent.output_tokens = usage->output_tokens();
  spent.cache_read_tokens = usage->cache_read_tokens();
  spent.cache_write_tokens = usage->cache_write_tokens();
  spent.total_tokens = usage->total_tokens();
  spent.nanodollars = usage->cost_nanodollars();
  return spent;
}

std::string model_of(const schema::UsageRecorded& event) {
  const std::string provider = event.provider() == nullptr ? "" : event.provider()->str();
  const std::string model = event.model() == nullptr ? "" : event.model()->str();
  if (provider.empty() && model.empty()) return "(not named)";
  return provider.empty() ? model : fmt::format("{}/{}", provider, model);
}

}  // namespace

bool was_wasted(const JobState& job, const AttemptState& attempt) {
  if (job.phase != state::JobPhase::finished) return attempt.number != job.attempts.back()->number;
  if (job.status != schema::JobStatus::succeeded) return true;
  return attempt.number != job.attempts.back()->number;
}

LedgerRow& Ledger::row(const std::string& key, std::uint64_t at_ns) {
  const auto [place, fresh] = places_.emplace(key, rows_.size());
  if (fresh) {
    rows_.emplace_back().key = key;
    rows_.back().first_ns = at_ns;
  }
  return rows_[place->second];
}

void Ledger::add_state(const RunState& run, const RunPart& part) {
  const auto take = [&](const std::string& key, const AttemptState& attempt, bool wasted) {
    LedgerRow& into = row(key, attempt.requested_ns);
    const Spent spent = spent_of(attempt.usage.get());
    into.spent += spent;
    if (wasted) into.wasted += spent;
    ++into.attempts;
  };
  const std::string before = runs_ == Runs::several ? run.run_id + "/" : "";
  const auto key_of = [&](const std::string& job, std::uint32_t attempt) {
    switch (by_) {
      case By::job:
        return before + job;
      case By::attempt:
        return fmt::format("{}{}/{}", before, job, attempt);
      default:
        return run.run_id;
    }
  };
  // Probes are for the run itself, and what they told was worth it.
  for (const auto& probe : run.attempts)
    if (part.has(0, probe->number)) take(key_of("_probe", probe->number), *probe, false);
  for (const auto& job : run.jobs) {
    for (const auto& attempt : job->attempts)
      if (part.has(job->number, attempt->number))
        take(key_of(job->id, attempt->number), *attempt, was_wasted(*job, *attempt));
  }
}

Status Ledger::add_events(const Log& log, const RunState& run, Revision at, const RunPart& part) {
  auto reader = log.read_stream(run_stream(run.run_id), {1}, at);
  while (reader.next()) {
    const EventView& event = reader.event();
    if (event.type() != schema::Payload::UsageRecorded) continue;
    if (!part.has(event.head().job(), event.head().attempt())) continue;
    const schema::UsageRecorded& usage = *event.envelope->payload_as_UsageRecorded();
    const auto when = static_cast<std::int64_t>(event.time_ns());
    LedgerRow& into =
        row(by_ == By::model ? model_of(usage) : render::rfc3339(when, zone_).substr(0, 10),
            event.time_ns());
    const Spent spent = spent_by(usage);
    into.spent += spent;
    const JobState* job = pievt::find_job(run, event.head().job());
    const AttemptState* attempt =
        pievt::find_attempt(run, event.head().job(), event.head().attempt());
    if (job != nullptr && attempt != nullptr && was_wasted(*job, *attempt)) into.wasted += spent;
  }
  return reader.status();
}

Status Ledger::add(const Log& log, std::string_view run_id, Revision at, const RunPart& part) {
  const RunState run = PIEVT_TRY(load_run(log, run_id, at));
  if (by_ == By::model || by_ == By::day) {
    PIEVT_TRY(add_events(log, run, at, part));
    if (by_ == By::day) {
      std::ranges::stable_sort(rows_, {}, &LedgerRow::key);
      places_.clear();
      for (std::size_t i = 0; i < rows_.size(); ++i) places_[rows_[i].key] = i;
    }
    return {};
  }
  add_state(run, part);
  return {};
}

Spent Ledger::total() const {
  Spent sum;
  for (const LedgerRow& each : rows_) sum += each.spent;
  return sum;
}

Spent Ledger::wasted() const {
  Spent sum;
  for (const LedgerRow& each : rows_) sum += each.wasted;
  return sum;
}

}  // namespace pievt::audit
