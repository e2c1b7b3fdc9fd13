#include "tools/importers/run_teller.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "pievt/query.h"
#include "supervisor/capture/excerpt.h"
#include "supervisor/record/clock.h"

namespace pievt::tools {
namespace {

/// Well below what one append may hold.
constexpr std::size_t append_events = 20'000;
constexpr std::size_t append_bytes = 8u << 20;

}  // namespace

AppendId derived_append_id(std::string_view what, std::uint64_t place, const Digest& content) {
  Sha256 sum;
  sum.update(fmt::format("pievt import\n{}\n{}\n{}", what, place, hex(content)));
  const Digest digest = sum.finish();
  AppendId id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  // RFC 9562, section 5.8: version 8 is for ids that are made in a way of one's own.
  id.bytes[6] = (id.bytes[6] & std::byte{0x0f}) | std::byte{0x80};
  id.bytes[8] = (id.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return id;
}

Result<RunTeller> RunTeller::begin(const Log* log, const std::string& run_id,
                                   std::vector<FoundAnomaly>& anomalies) {
  RunTeller teller(run_id, anomalies);
  if (log == nullptr) return teller;
  auto reader = log->read_stream(run_stream(run_id), {1});
  while (reader.next()) {
    const EventView& event = reader.event();
    apply(teller.state_, event);
    teller.known_revision_ = event.revision().value;
    auto payload = unpack(event);
    if (!payload) continue;
    const schema::Head& head = event.head();
    teller.latest_ns_ = std::max(teller.latest_ns_, head.occurred_ns());
    NewEvent stored{.payload = std::move(*payload),
                    .subject = {.job = head.job(), .attempt = head.attempt()}};
    ++teller.known_[teller.identity(stored)];
    if (event.type() == schema::Payload::AttemptClassified)
      teller.ended_.insert({head.job(), head.attempt()});
    if (event.type() == schema::Payload::JobJudged)
      teller.judged_.insert({head.job(), head.attempt()});
  }
  PIEVT_TRY(reader.status());
  if (teller.known_revision_ != 0 && teller.state_.ruleset.starts_with("pievt")) {
    return Error{Errc::conflict, fmt::format("run {} is in the store and was not imported; nothing "
                                             "was added to it",
                                             run_id)};
  }
  return teller;
}

// What an event says, without the numbers that depend on what was told before it, and without its
// time: that is held between what else was known, which may be more now. Something said twice is
// told twice, and passed over twice.
std::string RunTeller::identity(const NewEvent& event) {
  const NewEvent bare{.payload = event.payload,
                      .subject = {.job = event.subject.job, .attempt = event.subject.attempt}};
  std::vector<std::byte> body;
  encoder_.append(bare, body);
  return hex(sha256(body));
}

void RunTeller::number(NewEvent& event) const {
  const auto type = event.payload.type();
  if (type == schema::Payload::ArtifactRecorded) event.subject.artifact = state_.artifacts + 1;
  if (type == schema::Payload::GateOpened)
    event.subject.gate = static_cast<std::uint32_t>(state_.gates.size()) + 1;
  if (type != schema::Payload::GateDecided) return;
  for (const auto& gate : state_.gates) {
    if (gate->job == event.subject.job && gate->attempt == event.subject.attempt)
      event.subject.gate = gate->number;
  }
}

void RunTeller::refuse(const NewEvent& event, const std::string& why) {
  FoundAnomaly& found = anomalies_.emplace_back();
  found.job = event.subject.job;
  found.attempt = event.subject.attempt;
  found.what.anomaly =
      knew_run() ? schema::ImportAnomaly::changed : schema::ImportAnomaly::contradiction;
  found.what.detail = supervisor::one_line(why);
}

bool RunTeller::tell(NewEvent event) {
  std::vector<std::byte> body;
  const std::size_t size = encoder_.append(event, body);
  if (size > limits::event_bytes_max) {
    refuse(event, fmt::format("{} would have {} bytes, more than an event may have; it is left out "
                              "and stays in the kept file",
                              type_name(event.payload.type()), size));
    return false;
  }
  if (knew_run()) {
    if (const auto known = known_.find(identity(event));
        known != known_.end() && known->second > 0) {
      --known->second;
      return false;
    }
  }
  number(event);
  event.occurred_ns = std::max(event.occurred_ns, latest_ns_);
  if (const Status admitted = check(state_, event); !admitted.ok()) {
    refuse(event, admitted.error().what);
    return false;
  }
  latest_ns_ = event.occurred_ns;
  apply_new(state_, event, {state_.revision + 1}, supervisor::wall_now_ns(),
            supervisor::boot_now_ns());
  events_.push_back(std::move(event));
  return true;
}

bool RunTeller::knew_end_of(std::uint32_t job, std::uint32_t attempt) const {
  return ended_.contains({job, attempt});
}

Status RunTeller::append(Log& log) {
  std::uint64_t before = known_revision_;
  for (std::size_t begin = 0; begin < events_.size();) {
    std::vector<NewEvent> part;
    std::vector<std::byte> bodies;
    while (begin < events_.size() && part.size() < append_events && bodies.size() < append_bytes) {
      encoder_.append(events_[begin], bodies);
      part.push_back(std::move(events_[begin]));
      ++begin;
    }
    const std::uint64_t count = part.size();
    const AppendId id = derived_append_id(run_stream(run_id_), before, sha256(bodies));
    PIEVT_TRY(
        log.append(run_stream(run_id_), Expected::exactly({before}), std::move(part), {.id = id}));
    before += count;
  }
  events_.clear();
  return {};
}

}  // namespace pievt::tools
