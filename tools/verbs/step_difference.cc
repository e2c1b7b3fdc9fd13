// What two attempts did, aligned by content. A step is a tool call with its arguments, a request
// that failed, a compaction or a last message; what came out of it is not part of its key, so that
// the same call with another result is one step that changed and not two.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "tools/render/sanitise.h"
#include "tools/verbs/run_difference.h"
#include "tools/verbs/sequence_diff.h"

namespace pievt::tools {
namespace {

struct Step {
  enum class Kind : std::uint8_t { tool, request, compaction, final } kind{};
  std::uint32_t place = 0;
  std::uint64_t revision = 0;
  std::uint64_t key = 0;
  std::uint64_t outcome = 0;
};

std::uint64_t key_of_blob(const std::optional<schema::BlobRef>& blob, std::uint64_t seed) {
  if (!blob) return seed;
  return key_of({reinterpret_cast<const char*>(&blob->digest()), sizeof(schema::Digest)}, seed);
}

std::uint64_t begin_of(const story::Span& span) {
  return span.begin.known() ? span.begin.revision : span.end.revision;
}

std::vector<Step> steps_of(const story::Attempt& attempt) {
  std::vector<Step> steps;
  steps.reserve(attempt.tools.size() + attempt.finals.size());
  for (std::uint32_t i = 0; i < attempt.tools.size(); ++i) {
    const story::ToolCall& call = attempt.tools[i];
    const std::uint64_t name = key_of(call.tool, 1);
    const std::uint64_t key =
        call.arguments ? key_of_blob(call.arguments, name) : key_of(call.subject, name);
    const std::uint64_t end = !call.span.end.known() ? 0 : call.is_error ? 2 : 1;
    const std::uint64_t outcome =
        key_of_blob(call.result, end * 1000 + static_cast<std::uint32_t>(call.exit_code));
    steps.push_back({Step::Kind::tool, i, begin_of(call.span), key, outcome});
  }
  for (std::uint32_t i = 0; i < attempt.requests.size(); ++i) {
    const story::Request& request = attempt.requests[i];
    if (request.failed)
      steps.push_back(
          {Step::Kind::request, i, request.answered.revision, key_of(request.error, 2), 0});
  }
  for (std::uint32_t i = 0; i < attempt.compactions.size(); ++i) {
    const story::Compaction& compaction = attempt.compactions[i];
    steps.push_back({Step::Kind::compaction, i, begin_of(compaction.span),
                     key_of(compaction.reason, 3), compaction.aborted ? 1u : 0u});
  }
  for (std::uint32_t i = 0; i < attempt.finals.size(); ++i) {
    const story::FinalMessage& final = attempt.finals[i];
    steps.push_back({Step::Kind::final, i, final.at.revision, 4,
                     final.text ? key_of_blob(final.text, 4) : key_of(final.excerpt, 4)});
  }
  std::ranges::stable_sort(steps, {}, &Step::revision);
  return steps;
}

std::string step_text(const story::Attempt& attempt, const Step& step) {
  std::string text;
  switch (step.kind) {
    case Step::Kind::tool: {
      const story::ToolCall& call = attempt.tools[step.place];
      text = fmt::format("{} {}", call.tool, call.subject);
      if (!call.span.end.known()) text += " (no end)";
      if (call.is_error) text += " (error)";
      if (call.exit_code > 0) text += fmt::format(" (exit {})", call.exit_code);
      break;
    }
    case Step::Kind::request:
      text = fmt::format("provider error: {}", attempt.requests[step.place].error);
      break;
    case Step::Kind::compaction:
      text = fmt::format("compaction: {}", attempt.compactions[step.place].reason);
      break;
    case Step::Kind::final:
      text = attempt.finals[step.place].excerpt.empty()
                 ? "said nothing"
                 : fmt::format("said: {}", attempt.finals[step.place].excerpt);
      break;
  }
  return render::one_line(text);
}

std::optional<schema::BlobRef> body_of(const story::Attempt& attempt, const Step& step) {
  if (step.kind == Step::Kind::tool) return attempt.tools[step.place].result;
  if (step.kind == Step::Kind::final) return attempt.finals[step.place].text;
  return std::nullopt;
}

std::vector<std::uint64_t> keys_of(const std::vector<Step>& steps) {
  std::vector<std::uint64_t> keys;
  keys.reserve(steps.size());
  for (const Step& step : steps) keys.push_back(step.key);
  return keys;
}

class StepComparison {
 public:
  StepComparison(const story::Attempt& a, const story::Attempt& b, AttemptDifference& into)
      : a_(a), b_(b), in_a_(steps_of(a)), in_b_(steps_of(b)), into_(into) {}

  void run() {
    for (const Edit& edit : align(keys_of(in_a_), keys_of(in_b_))) {
      for (std::size_t i = 0; i < edit.count; ++i) {
        if (edit.kind == Edit::Kind::same) {
          same(in_a_[edit.a + i], in_b_[edit.b + i]);
        } else if (edit.kind == Edit::Kind::removed) {
          const Step& step = in_a_[edit.a + i];
          add({StepChange::Kind::removed,
               step_text(a_, step),
               "",
               step.revision,
               0,
               body_of(a_, step),
               {}});
        } else {
          const Step& step = in_b_[edit.b + i];
          add({StepChange::Kind::added,
               "",
               step_text(b_, step),
               0,
               step.revision,
               {},
               body_of(b_, step)});
        }
      }
    }
  }

 private:
  void same(const Step& a, const Step& b) {
    if (a.outcome == b.outcome) {
      ++into_.same_steps;
      if (into_.steps.empty()) ++into_.same_before;
      return;
    }
    add({StepChange::Kind::changed, step_text(a_, a), step_text(b_, b), a.revision, b.revision,
         body_of(a_, a), body_of(b_, b)});
  }
  void add(StepChange change) { into_.steps.push_back(std::move(change)); }

  const story::Attempt& a_;
  const story::Attempt& b_;
  std::vector<Step> in_a_, in_b_;
  AttemptDifference& into_;
};

// Bytes are compared: `==` of a generated struct compares where its arrays lie.
bool same_blob(const std::optional<schema::BlobRef>& a, const std::optional<schema::BlobRef>& b) {
  return a.has_value() == b.has_value() &&
         (!a || std::memcmp(&a->digest(), &b->digest(), sizeof(schema::Digest)) == 0);
}

void field(AttemptDifference& into, const char* name, std::string_view a, std::string_view b) {
  if (a != b) into.fields.push_back({name, std::string(a), std::string(b)});
}

}  // namespace

AttemptDifference attempt_difference(const story::Attempt* a, const story::Attempt* b) {
  static const story::Attempt nothing;
  AttemptDifference difference;
  difference.in_a = a != nullptr;
  difference.in_b = b != nullptr;
  const story::Attempt& in_a = a != nullptr ? *a : nothing;
  const story::Attempt& in_b = b != nullptr ? *b : nothing;
  difference.number = std::max(in_a.number, in_b.number);
  if (a != nullptr && b != nullptr) {
    field(difference, "model", in_a.model, in_b.model);
    field(difference, "ending", schema::EnumNameEnding(in_a.ending),
          schema::EnumNameEnding(in_b.ending));
    field(difference, "failure", schema::EnumNameFailureKind(in_a.failure),
          schema::EnumNameFailureKind(in_b.failure));
    field(difference, "launch_error", in_a.launch_error, in_b.launch_error);
    if (!same_blob(in_a.prompt, in_b.prompt)) {
      difference.prompt_a = in_a.prompt;
      difference.prompt_b = in_b.prompt;
    }
  }
  StepComparison(in_a, in_b, difference).run();
  return difference;
}

}  // namespace pievt::tools
