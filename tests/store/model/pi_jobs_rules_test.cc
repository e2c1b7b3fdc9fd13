// The ruleset pi-jobs-0.5 against what pi-jobs 0.5.0 itself answered: data/pi_jobs/ holds its
// inputs and outputs, computed by running it.
#include <fstream>
#include <sstream>

#include <simdjson.h>

#include <gtest/gtest.h>

#include "store/model/rules/pi_jobs_05.h"

namespace pievt::rules::pi_jobs {
namespace {

using schema::FailureKind;
using Json = simdjson::dom::element;

std::string path_of(const std::string& name) {
  return std::string(PIEVT_SOURCE_DIR "/tests/store/model/data/pi_jobs/") + name;
}

simdjson::dom::array vectors(simdjson::dom::parser& parser, const std::string& name) {
  simdjson::dom::array found;
  EXPECT_EQ(parser.load(path_of(name)).get(found), simdjson::SUCCESS) << name;
  return found;
}

simdjson::dom::array list(Json of, const char* key) {
  simdjson::dom::array found;
  EXPECT_EQ(of.at_key(key).get(found), simdjson::SUCCESS) << key;
  return found;
}

std::string text(Json of, const char* key) {
  std::string_view found;
  return of.at_key(key).get(found) == simdjson::SUCCESS ? std::string(found) : std::string();
}

FailureKind kind_of(const std::string& word) {
  if (word == "aborted") return FailureKind::cancelled;
  for (const FailureKind kind : schema::EnumValuesFailureKind()) {
    if (word == schema::EnumNameFailureKind(kind)) return kind;
  }
  return FailureKind::unknown;
}

RuntimeStatus status_of(const std::string& word) {
  return word == "success"   ? RuntimeStatus::success
         : word == "aborted" ? RuntimeStatus::aborted
                             : RuntimeStatus::error;
}

TEST(PiJobsRules, ClassifyAsItDid) {
  simdjson::dom::parser parser;
  int rows = 0;
  for (const Json row : vectors(parser, "classify.json")) {
    const Json in = row["in"].value(), out = row["out"].value();
    SCOPED_TRACE(simdjson::minify(in));
    Runtime runtime;
    runtime.status = status_of(text(in, "status"));
    runtime.raw = kind_of(text(in, "failureKind"));
    runtime.error = text(in, "error");
    runtime.stderr_tail = text(in, "stderrTail");
    runtime.stop_reason = text(in, "stopReason");
    const Retry answer = classify(runtime);
    EXPECT_EQ(word_of(answer.failure), text(out, "failureKind"));
    EXPECT_EQ(answer.retryable ? "retryable" : "not_retryable", text(out, "retryability"));
    EXPECT_EQ(answer.reason, text(out, "reason"));
    ++rows;
  }
  EXPECT_EQ(rows, 55);
}

Question question_of(const std::vector<std::string>& cells) {
  Question question;
  std::istringstream parts(cells[0]);
  std::string part;
  std::getline(parts, part, '/');
  question.runtime.status = status_of(part);
  while (std::getline(parts, part, '/')) {
    if (part == "saw") {
      question.runtime.saw_terminal = true;
    } else if (part == "thinking_only_stop") {
      question.runtime.stop_reason = part;
    } else {
      question.runtime.error = part;
    }
  }
  const auto index = [](std::initializer_list<const char*> words, const std::string& word) {
    int at = 0;
    for (const char* each : words) {
      if (word == each) return at;
      ++at;
    }
    ADD_FAILURE() << word;
    return 0;
  };
  question.report = static_cast<Report>(
      index({"not_submitted", "completed", "partial", "blocked", "error", "invalid"}, cells[1]));
  question.acceptance = static_cast<Acceptance>(
      index({"skipped", "passed", "warning", "failed", "pending"}, cells[2]));
  question.protocol_error = cells[3] == "protocol_error";
  question.audit = static_cast<Audit>(index({"-", "ok", "degraded"}, cells[4]));
  return question;
}

std::string gate_word(schema::BlockingGate gate) {
  const bool protocol =
      gate == schema::BlockingGate::report || gate == schema::BlockingGate::final_message;
  return protocol ? "protocol" : schema::EnumNameBlockingGate(gate);
}

TEST(PiJobsRules, DecideAsItDid) {
  std::ifstream file(path_of("decision.tsv"));
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    SCOPED_TRACE(line);
    std::vector<std::string> cells;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, '\t');) cells.push_back(cell);
    ASSERT_EQ(cells.size(), 10u);
    const Decision answer = decide(question_of(cells));
    const schema::JobStatus status = cells[5] == "success"   ? schema::JobStatus::succeeded
                                     : cells[5] == "aborted" ? schema::JobStatus::cancelled
                                                             : schema::JobStatus::failed;
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(gate_word(answer.blocking), cells[6]);
    EXPECT_EQ(word_of(answer.retry.failure), cells[7]);
    EXPECT_EQ(word_of(answer.retry.failure), cells[8]);
    EXPECT_EQ(answer.retry.retryable ? "retryable" : "not_retryable", cells[9]);
    const std::string reason = cells[6] == "none"
                                   ? "All blocking gates passed."
                                   : cells[6] + " gate blocked final success (" + cells[7] + ").";
    EXPECT_EQ(answer.reason, reason);
    ++rows;
  }
  EXPECT_EQ(rows, 900);
}

StreamObject object_of(Json event) {
  StreamObject object;
  object.type = text(event, "type");
  Json message;
  if (event.at_key("message").get(message) != simdjson::SUCCESS) return object;
  object.from_assistant = text(message, "role") == "assistant";
  object.stop_reason = text(message, "stopReason");
  std::string_view error;
  if (message.at_key("errorMessage").get(error) == simdjson::SUCCESS) object.error = error;
  simdjson::dom::array content;
  if (message.at_key("content").get(content) != simdjson::SUCCESS) return object;
  bool thinking = content.size() > 0;
  for (const Json part : content) thinking = thinking && text(part, "type") == "thinking";
  if (thinking) object.content = Content::thinking_only;
  return object;
}

TEST(PiJobsRules, ReadAnEndAsItDid) {
  simdjson::dom::parser parser;
  int rows = 0;
  constexpr std::array actions = {"none", "schedule_exit_guard", "cancel_exit_guard"};
  for (const Json row : vectors(parser, "terminal-state.json")) {
    Terminal state;
    const simdjson::dom::array steps = list(row, "steps");
    auto step = steps.begin();
    for (const Json event : list(row, "events")) {
      SCOPED_TRACE(simdjson::minify(row));
      const auto action = reduce(state, object_of(event));
      EXPECT_EQ(actions[static_cast<std::size_t>(action)], text(*step, "action"));
      const Json expected = (*step)["state"].value();
      EXPECT_EQ(state.saw, expected["sawTerminalAssistantMessage"].get_bool().value());
      EXPECT_EQ(state.stop_reason, text(expected, "stopReason"));
      EXPECT_EQ(state.error.value_or(""), text(expected, "errorMessage"));
      ++step;
      ++rows;
    }
  }
  EXPECT_GE(rows, 34);
}

TEST(PiJobsRules, WaitAsItDid) {
  simdjson::dom::parser parser;
  for (const Json row : vectors(parser, "retry-backoff.json")) {
    const Json given = row["policy"]["backoffMs"].value();
    Backoff policy;
    policy.initial_ms = given["initial"].get_double().value();
    policy.max_ms = given["max"].get_double().value();
    policy.multiplier = given["multiplier"].get_double().value();
    policy.jitter = given["jitter"].get_bool().value();
    simdjson::dom::object delays_by_chance;
    ASSERT_EQ(row["delays"].get(delays_by_chance), simdjson::SUCCESS);
    for (const auto& [name, delays] : delays_by_chance) {
      const double chance = std::stod(std::string(name.substr(name.find('=') + 1)));
      std::uint32_t attempt = 0;
      simdjson::dom::array all;
      ASSERT_EQ(delays.get(all), simdjson::SUCCESS);
      for (const Json delay : all)
        EXPECT_EQ(backoff_ms(policy, ++attempt, chance), delay.get_uint64().value());
      EXPECT_EQ(attempt, 6u);
    }
  }
}

double number(Json of, const char* key) {
  double found = 0;
  return of.at_key(key).get(found) == simdjson::SUCCESS ? found : 0;
}

TEST(PiJobsRules, ThrottleAsItDid) {
  simdjson::dom::parser parser;
  int sequences = 0;
  for (const Json row : vectors(parser, "throttle.json")) {
    SCOPED_TRACE(simdjson::minify(row));
    ThrottlePolicy given;
    const Json policy = row["policy"].value();
    bool enabled = false;
    if (policy.is_object() && policy.at_key("enabled").get(enabled) == simdjson::SUCCESS)
      given.enabled = enabled;
    if (policy.is_object()) {
      given.min = number(policy, "minConcurrency");
      given.max = number(policy, "maxConcurrency");
      given.threshold = number(policy, "transientFailureThreshold");
      double window = 5;
      given.window =
          policy.at_key("windowSize").get(window) == simdjson::SUCCESS && window != 0 ? window : 5;
      if (policy.at_key("windowSize").error() == simdjson::SUCCESS && window == 0) given.window = 0;
    } else {
      given.min = given.max = 0;
    }
    const double requested = row["requested"].get_double().value();
    const ThrottlePolicy used = normalised(given, requested);
    const Json expected = row["normalized"].value();
    if (expected.is_object()) {
      EXPECT_EQ(used.min, number(expected, "minConcurrency"));
      EXPECT_EQ(used.max, number(expected, "maxConcurrency"));
      EXPECT_EQ(used.threshold, number(expected, "transientFailureThreshold"));
      EXPECT_EQ(used.window, number(expected, "windowSize"));
    }
    Throttle throttle(used, requested);
    EXPECT_EQ(throttle.current(), row["start"].get_double().value());
    for (const Json step : list(row, "steps")) {
      const auto decision = throttle.record(kind_of(text(step, "kind")));
      EXPECT_EQ(throttle.current(), step["now"].get_double().value());
      const Json said = step["decision"].value();
      ASSERT_EQ(decision.has_value(), said.is_object());
      if (!decision) continue;
      EXPECT_EQ(decision->previous, number(said, "previousConcurrency"));
      EXPECT_EQ(decision->next, number(said, "nextConcurrency"));
      EXPECT_DOUBLE_EQ(decision->rate, number(said, "transientRate"));
      EXPECT_EQ(decision->reason, text(said, "reason"));
    }
    ++sequences;
  }
  EXPECT_EQ(sequences, 25);
}

TEST(PiJobsRules, BoundTimeoutsAsItDid) {
  simdjson::dom::parser parser;
  for (const Json row : vectors(parser, "timeout.json")) {
    double given = 0;
    const bool number = row["in"].get(given) == simdjson::SUCCESS;
    EXPECT_EQ(timeout_ms(number ? std::optional(given) : std::nullopt),
              row["out"].get_uint64().value())
        << simdjson::minify(row);
  }
}

}  // namespace
}  // namespace pievt::rules::pi_jobs
