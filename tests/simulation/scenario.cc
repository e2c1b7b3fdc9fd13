#include "tests/simulation/scenario.h"

#include <algorithm>

#include <fmt/format.h>

#include "tests/simulation/dice.h"

namespace pievt::simulation {
namespace {

using schema::FailureKind;

std::string message(std::uint64_t tokens, std::string_view stop, std::string_view error,
                    std::string_view content) {
  return fmt::format(
      R"({{"type":"message_end","message":{{"role":"assistant","content":[{}],)"
      R"("usage":{{"input":{},)"
      R"("output":1,"cacheRead":0,"cacheWrite":0,"totalTokens":{},"cost":{{"total":{}}}}},)"
      R"("stopReason":"{}"{}}}}})",
      content, tokens - 1, tokens, static_cast<double>(tokens) / 1e5, stop,
      error.empty() ? "" : fmt::format(R"(,"errorMessage":"{}")", error));
}

constexpr std::string_view text_content = R"({"type":"text","text":"done"})";

class Speech {
 public:
  explicit Speech(Dice& dice) : dice_(dice) { now_ = dice.between(1, 400); }

  void say(std::string text) {
    script_.says.push_back({now_, std::move(text)});
    now_ += dice_.between(0, 300);
  }
  void silence(std::uint64_t ms) { now_ += ms; }
  void begin() {
    say(R"({"type":"session","version":3,"id":"s","cwd":"/w"})");
    say(R"({"type":"agent_start"})");
    say(R"({"type":"turn_start"})");
  }
  void tool(std::uint64_t ms) {
    say(message(dice_.between(10, 400), "toolUse", "",
                R"({"type":"toolCall","id":"c","name":"bash","arguments":{}})"));
    say(R"({"type":"tool_execution_start","toolCallId":"c","toolName":"bash","args":{}})");
    silence(ms);
    say(R"({"type":"tool_execution_end","toolCallId":"c","toolName":"bash","result":{},)"
        R"("isError":false})");
    say(R"({"type":"turn_end"})");
    say(R"({"type":"turn_start"})");
  }
  void fail(std::string_view error) {
    say(message(2, "error", error, ""));
    say(R"({"type":"agent_end","messages":[]})");
  }
  void answer(std::string_view stop = "stop") {
    say(message(dice_.between(10, 400), stop, "", text_content));
    say(R"({"type":"turn_end"})");
    say(R"({"type":"agent_end","messages":[]})");
  }
  Script exit(int code = 0) {
    script_.exits_ms = now_;
    script_.exit_code = code;
    return std::move(script_);
  }
  Script killed() {
    script_.exits_ms = now_;
    script_.signal = 9;
    return std::move(script_);
  }
  Script hang() { return std::move(script_); }
  Script& script() { return script_; }

 private:
  Dice& dice_;
  Script script_;
  std::uint64_t now_ = 0;
};

schema::JobDeclaredT draw_job(Dice& dice, std::uint32_t number, bool waves) {
  schema::JobDeclaredT job;
  job.id = "j" + std::to_string(number);
  job.timeout_ms = dice.between(5'000, 60'000);
  job.priority = static_cast<std::int32_t>(dice.between(0, 2));
  // Never later than that of a job that may depend on it.
  if (waves && dice.chance(70)) job.wave = 1 + number / 3;
  job.retry = std::make_unique<schema::RetryPolicyT>();
  job.retry->max_attempts = static_cast<std::uint32_t>(dice.between(1, 4));
  job.retry->initial_ms = dice.chance(20) ? 0 : dice.between(100, 3000);
  job.retry->max_ms = 10'000;
  job.retry->multiplier = 2;
  job.retry->jitter_ratio = dice.chance(50) ? 0.25 : 0;
  if (dice.chance(20)) {
    job.retry->retry_on = {FailureKind::provider_transient, FailureKind::deadline_exceeded,
                           FailureKind::supervisor_lost};
  }
  for (std::uint32_t other = 1; other < number; ++other) {
    if (!dice.chance(15)) continue;
    auto on = std::make_unique<schema::JobDependencyT>();
    on->job = other;
    on->when = dice.chance(50) ? schema::DependsWhen::success : schema::DependsWhen::finished;
    job.depends_on.push_back(std::move(on));
  }
  if (dice.chance(25)) {
    job.silence = std::make_unique<schema::SilencePolicyT>();
    job.silence->starting_ms = job.silence->provider_ms = dice.between(500, 8'000);
    job.silence->tool_ms = job.silence->thinking_ms = dice.between(500, 8'000);
  }
  if (dice.chance(15)) {
    job.budget = std::make_unique<schema::BudgetT>();
    if (dice.chance(50)) job.budget->tokens = dice.between(100, 1'000);
    if (dice.chance(50)) job.budget->wall_ms = dice.between(1'000, 40'000);
    if (dice.chance(30)) job.budget->retries = 1;
  }
  return job;
}

}  // namespace

Scenario::Scenario(std::uint64_t from) : seed(from) {
  Dice dice(from);
  const auto count = static_cast<std::uint32_t>(dice.between(1, 6));
  const bool waves = dice.chance(20);
  for (std::uint32_t job = 1; job <= count; ++job) jobs.push_back(draw_job(dice, job, waves));
  planned.run_id = fmt::format("sim-{}", from);
  planned.kind = schema::RunKind::batch;
  planned.job_count = count;
  planned.concurrency = static_cast<std::uint32_t>(dice.between(1, 5));
  if (dice.chance(40)) {
    planned.throttle = std::make_unique<schema::ThrottlePolicyT>();
    planned.throttle->enabled = true;
    planned.throttle->threshold = 0.2;
    planned.throttle->window = static_cast<std::uint32_t>(dice.between(1, 4));
    planned.throttle->min = 1;
    planned.throttle->max = planned.concurrency;
  }
  if (dice.chance(25)) {
    planned.budget = std::make_unique<schema::BudgetT>();
    if (dice.chance(40)) planned.budget->tokens = dice.between(100, 3'000);
    if (dice.chance(30))
      planned.budget->cost_nanodollars =
          static_cast<std::int64_t>(dice.between(1'000'000, 30'000'000));
    if (dice.chance(40)) planned.budget->wall_ms = dice.between(2'000, 60'000);
    if (dice.chance(40)) planned.budget->retries = static_cast<std::uint32_t>(dice.between(1, 3));
  }
  while (dice.chance(25)) {
    asked.push_back({dice.between(0, 30'000), static_cast<Wish>(dice.between(0, 4)),
                     static_cast<std::uint32_t>(dice.between(1, count))});
    // A pause that nobody ends would last for ever.
    if (asked.back().wish == Wish::pause)
      asked.push_back({asked.back().at_ms + dice.between(1, 20'000), Wish::go_on, 0});
  }
  std::ranges::stable_sort(asked, {}, &Asked::at_ms);
  if (dice.chance(20)) busy_ms = dice.between(1'000, 40'000);
  const unsigned percents[] = {0, 1, 5, 20, 50};
  death_percent = percents[dice.between(0, 4)];
  resumes = dice.chance(50);
}

Script Scenario::script(std::uint32_t job, std::uint32_t attempt) const {
  Dice dice(seed ^ (std::uint64_t{job} << 32 | attempt) * 0x9e3779b97f4a7c15);
  Script failing;
  failing.spawn_fails = true;
  if (dice.chance(3)) return failing;
  Speech speech(dice);
  if (dice.chance(40)) {
    speech.script().obeys_ms = dice.between(0, 9'000);
  } else if (dice.chance(80)) {
    speech.script().obeys_ms = dice.between(0, 50);
  }
  if (dice.chance(4)) return speech.hang();
  speech.begin();
  for (std::uint64_t tools = dice.between(0, 2); tools > 0; --tools)
    speech.tool(dice.chance(10) ? dice.between(5'000, 700'000) : dice.between(0, 900));
  switch (dice.between(0, 13)) {
    case 0:
      speech.fail("429 Rate limit reached, try again in 7s");
      return speech.exit();
    case 1:
      speech.fail("500 Internal server error");
      return speech.exit();
    case 2:
      speech.fail("401 Incorrect API key provided");
      return speech.exit();
    case 3:
      return speech.hang();
    case 4:
      return speech.killed();
    case 5:
      return speech.exit(1);
    case 6:
      speech.say(R"({"type":"auto_retry_start","attempt":1,"maxAttempts":3,"delayMs":9000,)"
                 R"("errorMessage":"500"})");
      speech.silence(9'000);
      speech.say(R"({"type":"agent_start"})");
      speech.answer();
      return speech.exit();
    case 7:
      speech.answer();
      return speech.hang();
    case 8:
      speech.answer("length");
      return speech.exit();
    case 9:
      speech.silence(dice.between(1'000, 400'000));
      speech.answer();
      return speech.exit();
    default:
      speech.answer();
      return speech.exit();
  }
}

}  // namespace pievt::simulation
