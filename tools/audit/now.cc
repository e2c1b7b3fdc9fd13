// What is so at this moment, and what only a person can do: what lives on, what was leaked, what a
// blocked worker asks for.
#include <algorithm>

#include <fmt/format.h>

#include "tools/audit/build.h"
#include "tools/audit/words.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

std::string name_of(const RunState& run, std::uint32_t job, std::uint32_t attempt) {
  if (job == 0) return attempt == 0 ? "the run" : fmt::format("_probe/{}", attempt);
  const std::string id = ids_of(run, {&job, 1});
  return attempt == 0 ? id : fmt::format("{}/{}", id, attempt);
}

// The same secret found in five places is one secret.
void add_places(Secret& secret, const RunState& run, const SecretPlaces& found) {
  for (const auto& place : found.places) {
    std::string where = place.where;
    // A file is called by its path, which names its attempt already.
    if (place.job != 0 && where.find('/') == std::string::npos)
      where += fmt::format(" of {}", name_of(run, place.job, place.attempt));
    const bool known = std::ranges::any_of(secret.found_in, [&](const SecretPlace& other) {
      return other.event == place.revision && other.where == where;
    });
    if (known) continue;
    secret.found_in.push_back({std::move(where), place.revision, place.times});
    add_event(secret.events, place.revision);
  }
  secret.looked_everywhere = secret.looked_everywhere || (!found.places.empty() && found.whole);
  secret.places = std::max(secret.places, static_cast<std::uint32_t>(secret.found_in.size()));
}

void add_secrets(RunReport& report, const Material& material) {
  std::vector<const schema::Digest*> digests;
  static const SecretPlaces nowhere;
  for (std::size_t i = 0; i < material.extras.secrets.size(); ++i) {
    const auto& found = material.extras.secrets[i];
    const SecretPlaces& places =
        i < material.secret_places.size() ? material.secret_places[i] : nowhere;
    const schema::Digest* digest = found.what.digest.get();
    const auto known = std::ranges::find_if(digests, [&](const schema::Digest* other) {
      return digest != nullptr && other != nullptr &&
             std::ranges::equal(*digest->bytes(), *other->bytes());
    });
    if (known != digests.end()) {
      Secret& secret = report.secrets[static_cast<std::size_t>(known - digests.begin())];
      ++secret.places;
      secret.masked = secret.masked && found.what.masked;
      add_event(secret.events, found.revision);
      add_places(secret, material.run, places);
      continue;
    }
    digests.push_back(digest);
    Secret secret;
    secret.rule = found.what.rule;
    secret.where = found.what.where.empty() ? schema::EnumNameSecretPlace(found.what.place)
                                            : shortened(found.what.where, 60);
    secret.prefix = shortened(found.what.prefix, 20);
    secret.bytes = found.what.size;
    secret.job = found.job;
    secret.attempt = found.attempt;
    secret.masked = found.what.masked;
    secret.found = found.revision;
    add_event(secret.events, found.revision);
    add_places(secret, material.run, places);
    report.secrets.push_back(std::move(secret));
  }
}

void add_needs(RunReport& report, const Material& material) {
  for (const auto& job : material.run.jobs) {
    if (job->attempts.empty()) continue;
    const AttemptState& last = *job->attempts.back();
    if (last.report_status != schema::ReportStatus::blocked) continue;
    const std::string asks = last.requests.empty()
                                 ? last.report_summary
                                 : fmt::format("{}", fmt::join(last.requests, "; "));
    report.needs_you.push_back(
        {fmt::format("{}: {}. Do not retry it before.", name_of(material.run, job->number, 0),
                     shortened(asks, 160)),
         {last.report_revision}});
  }
  const auto leaked = static_cast<std::uint64_t>(
      std::ranges::count_if(report.secrets, [](const Secret& s) { return !s.masked; }));
  if (leaked > 0) {
    Finding finding{
        fmt::format("{} printed (see SECRETS): change {}, whatever else you do.",
                    leaked == 1 ? "a secret was" : fmt::format("{} secrets were", leaked),
                    leaked == 1 ? "it" : "them"),
        {}};
    for (const Secret& secret : report.secrets) add_event(finding.events, secret.found, 5);
    report.needs_you.push_back(std::move(finding));
  }
}

void add_survivors(RunReport& report, const Material& material) {
  for (const story::Attempt& attempt : material.story.attempts) {
    if (attempt.survivors == 0) continue;
    report.needs_you.push_back(
        {fmt::format("{} of {} could not be killed and may be running still: {}",
                     render::plural(attempt.survivors, "process", "processes"),
                     name_of(material.run, attempt.job, attempt.number), "pievt doctor looks"),
         {attempt.swept.revision}});
  }
}

void add_life(RunReport& report, const Material& material) {
  const RunState& run = material.run;
  Finding finding;
  if (const story::RunEnd* end = material.story.end()) {
    add_event(finding.events, end->at.revision);
    finding.text = run.ending == schema::RunEnding::stopped
                       ? fmt::format("Nothing of this run is alive: it was stopped. {}",
                                     shortened(end->reason, 120))
                       : "Nothing of this run is alive: it ended by itself.";
  } else if (report.status == "interrupted" && material.story.imported) {
    // Who ran it is not ours to ask: what is known ends where its record was read.
    for (const auto& seen : material.extras.anomalies) {
      const bool of_run = seen.job == 0 && seen.what.line == 0 &&
                          seen.what.anomaly == schema::ImportAnomaly::unfinished;
      if (of_run) add_event(finding.events, seen.revision);
    }
    if (finding.events.empty()) add_event(finding.events, run.revision);
    finding.text =
        "The record of this run has no end: whoever ran it died or was stopped, or it went on "
        "after it was imported.";
  } else if (report.status == "interrupted") {
    add_event(finding.events, run.revision);
    finding.text = "Nobody supervises this run: its supervisor is gone and told no end of it.";
  } else {
    add_event(finding.events, run.revision);
    finding.text = fmt::format("The run goes on ({}); this is how it stands.", report.status);
  }
  if (material.story.imported) {
    finding.text += " Not known: processes left by tools (the source did not record them).";
  }
  report.now.push_back(std::move(finding));
  std::uint32_t killed = 0;
  Events events;
  for (const story::Attempt& attempt : material.story.attempts) {
    killed += attempt.leftovers - std::min(attempt.leftovers, attempt.survivors);
    if (attempt.leftovers > 0) add_event(events, attempt.swept.revision, 5);
  }
  if (killed > 0) {
    report.now.push_back({fmt::format("{} that outlived their attempts were killed.",
                                      render::plural(killed, "process", "processes")),
                          events});
  }
  std::vector<std::uint32_t> open;
  for (const auto& job : run.jobs) {
    if (job->phase != state::JobPhase::finished) open.push_back(job->number);
  }
  if (!open.empty() && !report.ended) {
    report.now.push_back(
        {fmt::format("{} not ended: {}", render::plural(open.size(), "job"), ids_of(run, open)),
         {}});
  }
  for (const story::Attempt& attempt : material.story.attempts) {
    const bool half = attempt.launched.known() && !attempt.classified.known() && attempt.job != 0;
    if (!half) continue;
    const auto open_calls = static_cast<std::uint64_t>(
        std::ranges::count_if(attempt.tools, [](const auto& call) { return call.span.open(); }));
    Finding lost{
        fmt::format("{} has no end in the record", name_of(run, attempt.job, attempt.number)), {}};
    add_event(lost.events, attempt.launched.revision);
    if (open_calls > 0)
      lost.text += fmt::format("; {} in flight", render::plural(open_calls, "tool call"));
    report.now.push_back(std::move(lost));
  }
}

}  // namespace

void add_now(RunReport& report, const Material& material, const Ruleset&) {
  add_secrets(report, material);
  add_life(report, material);
  add_survivors(report, material);
  add_needs(report, material);
  for (const auto& hook : material.extras.hooks) {
    if (hook.what.exit_code == 0 && hook.what.signal == 0 && hook.what.error.empty()) continue;
    report.now.push_back(
        {fmt::format("The hook {} failed: people may not have heard of this run.", hook.what.hook),
         {hook.revision}});
  }
}

}  // namespace pievt::audit
