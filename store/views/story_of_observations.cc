// What events tell about what an attempt was seen to do. pi's record has the ends of turns, agent
// runs and requests but not their beginnings, so these are open from the first thing seen of them,
// and begin after the last thing seen before.
#include <algorithm>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/views/story_fold.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

namespace {

// Bounds come from other events, and imported ones need not be in the order of their times.
story::Mark not_after(story::Mark bound, story::Mark end) {
  bound.at_ns = std::min(bound.at_ns, end.at_ns);
  return bound;
}

}  // namespace

void StoryFold::Impl::open_agent_run() {
  if (at_->agent_run_open) return;
  at_->agent_run_open = true;
  attempt_->agent_runs.push_back({not_after(at_->last, now_), {}, false});
}

std::uint32_t StoryFold::Impl::open_turn() {
  open_agent_run();
  if (!at_->turn_open) {
    at_->turn_open = true;
    at_->tools_in_turn = 0;
    story::Turn& turn = attempt_->turns.emplace_back();
    turn.after = not_after(at_->last, now_);
    turn.agent_run = static_cast<std::uint32_t>(attempt_->agent_runs.size() - 1);
  }
  return static_cast<std::uint32_t>(attempt_->turns.size() - 1);
}

void StoryFold::Impl::seen() {
  at_->last = now_;
}

void StoryFold::Impl::operator()(const SessionStarted& e) {
  if (attempt_ == nullptr) return;
  if (!attempt_->session.known()) {
    attempt_->session = now_;
    attempt_->session_id = keep(e.session_id());
  }
  seen();
}

void StoryFold::Impl::operator()(const TurnEnded& e) {
  if (attempt_ == nullptr) return;
  story::Turn& turn = attempt_->turns[open_turn()];
  turn.end = now_;
  turn.number = e.turn();
  turn.tool_calls = e.tool_calls();
  at_->turn_open = false;
  at_->owed_tools = e.tool_calls() > at_->tools_in_turn ? e.tool_calls() - at_->tools_in_turn : 0;
  at_->owed_by = static_cast<std::uint32_t>(attempt_->turns.size() - 1);
  seen();
}

void StoryFold::Impl::operator()(const AgentRunEnded& e) {
  if (attempt_ == nullptr) return;
  open_agent_run();
  attempt_->agent_runs.back().end = now_;
  attempt_->agent_runs.back().will_retry = e.will_retry();
  at_->agent_run_open = false;
  at_->turn_open = false;
  seen();
}

void StoryFold::Impl::operator()(const AgentSettled&) {
  if (attempt_ == nullptr) return;
  if (!attempt_->settled.known()) attempt_->settled = now_;
  seen();
}

void StoryFold::Impl::operator()(const ToolCallStarted& e) {
  if (attempt_ == nullptr) return;
  const bool owed = at_->owed_tools > 0 && !at_->turn_open;
  const std::uint32_t turn = owed ? at_->owed_by : open_turn();
  if (owed) {
    --at_->owed_tools;
  } else {
    ++at_->tools_in_turn;
  }
  at_->open_tools.push_back(static_cast<std::uint32_t>(attempt_->tools.size()));
  story::ToolCall& call = attempt_->tools.emplace_back();
  call.span.begin = now_;
  call.number = e.call();
  call.turn = turn;
  call.tool = keep_once(e.tool());
  call.subject = keep(e.subject());
  call.call_id = keep(e.call_id());
  call.arguments = blob(e.arguments());
  seen();
}

void StoryFold::Impl::operator()(const ToolCallFinished& e) {
  if (attempt_ == nullptr) return;
  auto& open = at_->open_tools;
  const auto found = std::ranges::find_if(open, [&](std::uint32_t place) {
    const story::ToolCall& call = attempt_->tools[place];
    return e.call() != 0 ? call.number == e.call() : call.call_id == text_of(e.call_id());
  });
  std::uint32_t place = 0;
  if (found != open.end()) {
    place = *found;
    open.erase(found);
  } else {  // only its end was told
    place = static_cast<std::uint32_t>(attempt_->tools.size());
    const std::uint32_t turn = open_turn();
    story::ToolCall& call = attempt_->tools.emplace_back();
    call.number = e.call();
    call.turn = turn;
    call.tool = keep_once(e.tool());
    call.call_id = keep(e.call_id());
  }
  story::ToolCall& call = attempt_->tools[place];
  call.span.end = now_;
  call.exit_code = e.exit_code();
  call.is_error = e.is_error();
  call.duration_ms = e.duration_ms();
  call.result = blob(e.result());
  seen();
}

void StoryFold::Impl::operator()(const UsageRecorded& e) {
  if (attempt_ == nullptr) return;
  const std::uint32_t turn = open_turn();
  story::Request& request = attempt_->requests.emplace_back();
  request.after = not_after(at_->last, now_);
  request.answered = now_;
  request.turn = turn;
  request.provider = keep_once(e.provider());
  request.model = keep_once(e.model());
  request.response_model = keep_once(e.response_model());
  request.stop_reason = keep_once(e.stop_reason());
  request.error = keep(e.error());
  request.failed = request.stop_reason == "error" ||
                   (!request.error.empty() && request.stop_reason != "aborted");
  if (e.usage() != nullptr && e.reported() == Reported::reported) {
    const Usage& usage = *e.usage();
    request.spent = {true,
                     usage.input_tokens(),
                     usage.output_tokens(),
                     usage.cache_read_tokens(),
                     usage.cache_write_tokens(),
                     usage.reasoning_tokens(),
                     usage.total_tokens(),
                     usage.cost_nanodollars()};
  }
  if (!attempt_->retries.empty() && !attempt_->retries.back().heard.known())
    attempt_->retries.back().heard = now_;
  seen();
}

void StoryFold::Impl::operator()(const FinalMessageObserved& e) {
  if (attempt_ == nullptr) return;
  story::FinalMessage& final = attempt_->finals.emplace_back();
  final.at = now_;
  final.text = blob(e.text());
  final.bytes = e.text_bytes();
  final.stop_reason = keep_once(e.stop_reason());
  final.excerpt = keep(e.excerpt());
  seen();
}

void StoryFold::Impl::operator()(const ProviderRetryStarted& e) {
  if (attempt_ == nullptr) return;
  if (!attempt_->retries.empty() && !attempt_->retries.back().heard.known())
    attempt_->retries.back().heard = now_;
  story::ProviderRetry& retry = attempt_->retries.emplace_back();
  retry.began = now_;
  retry.delay_ms = e.delay_ms();
  retry.attempt = e.attempt();
  retry.max_attempts = e.max_attempts();
  retry.error = keep(e.error());
  seen();
  // The next request is sent when the wait is over, by pi's word. A wait of years is nobody's word.
  constexpr std::uint64_t day_ms = 86'400'000;
  at_->last.at_ns += std::min(e.delay_ms(), day_ms) * 1'000'000;
}

void StoryFold::Impl::operator()(const ProviderRetryEnded& e) {
  if (attempt_ == nullptr || attempt_->retries.empty()) return;
  story::ProviderRetry& last = attempt_->retries.back();
  if (!last.heard.known()) last.heard = now_;
  if (!last.over.known()) {
    last.over = now_;
    last.succeeded = e.succeeded();
  }
  seen();
}

void StoryFold::Impl::operator()(const CompactionStarted& e) {
  if (attempt_ == nullptr) return;
  at_->compacting = true;
  attempt_->compactions.push_back({{now_, {}}, keep_once(e.reason()), false, {}});
  seen();
}

void StoryFold::Impl::operator()(const CompactionEnded& e) {
  if (attempt_ == nullptr) return;
  if (!at_->compacting) attempt_->compactions.push_back({{}, keep_once(e.reason()), false, {}});
  at_->compacting = false;
  story::Compaction& ended = attempt_->compactions.back();
  ended.span.end = now_;
  ended.aborted = e.aborted();
  ended.error = keep(e.error());
  seen();
}

void StoryFold::Impl::operator()(const SilenceObserved& e) {
  if (attempt_ != nullptr)
    attempt_->silences.push_back({now_, e.silent_ms(), e.activity(), keep(e.subject())});
}

void StoryFold::Impl::operator()(const OutputAnomalyObserved& e) {
  note("output", EnumNameOutputAnomaly(e.anomaly()));
}

void StoryFold::Impl::operator()(const ImportAnomalyFound& e) {
  note("import", fmt::format("{}: {}", EnumNameImportAnomaly(e.anomaly()), text_of(e.detail())));
}

void StoryFold::Impl::operator()(const ProgressReported& e) {
  note(e.label() == nullptr ? std::string_view("progress") : text_of(e.label()), text_of(e.text()));
}

void StoryFold::Impl::operator()(const ReportSubmitted& e) {
  note("report", fmt::format("{}: {}", EnumNameReportStatus(e.status()), text_of(e.summary())));
}

void StoryFold::Impl::operator()(const ReportRefused& e) {
  note("report", fmt::format("refused: {}", text_of(e.reason())));
}

void StoryFold::Impl::operator()(const SecretFound& e) {
  note("secret", fmt::format("{} in {}", text_of(e.rule()), text_of(e.where())));
}

}  // namespace pievt
