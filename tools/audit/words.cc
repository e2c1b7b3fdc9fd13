#include "tools/audit/words.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "tools/render/sanitise.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

std::string id_of(const RunState& run, std::uint32_t job) {
  const JobState* state = pievt::find_job(run, job);
  return state == nullptr ? fmt::format("job {}", job) : render::one_line(state->id);
}

bool is_id_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

}  // namespace

std::string ids_of(const RunState& run, std::span<const std::uint32_t> jobs, std::size_t most) {
  std::string text;
  const std::size_t shown = most == 0 ? jobs.size() : std::min(most, jobs.size());
  for (const std::uint32_t job : jobs.first(shown))
    text += fmt::format("{}{}", text.empty() ? "" : " ", id_of(run, job));
  if (shown < jobs.size()) text += fmt::format(" and {} more", jobs.size() - shown);
  return text;
}

std::string joined(const RunState& run, std::span<const std::uint32_t> jobs) {
  constexpr std::size_t most = 6;
  if (jobs.size() > most) return ids_of(run, jobs, most);
  std::string text;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const char* glue = i == 0 ? "" : i + 1 == jobs.size() ? " and " : ", ";
    text += fmt::format("{}{}", glue, id_of(run, jobs[i]));
  }
  return text;
}

std::string span_text(std::uint64_t duration_ns) {
  if (duration_ns < 1'000'000'000 && duration_ns >= 100'000'000)
    return fmt::format("{:.2f} s", static_cast<double>(duration_ns) / 1e9);
  return render::duration_text(static_cast<std::int64_t>(duration_ns));
}

std::string_view label_of(schema::FailureKind kind) {
  using schema::FailureKind;
  switch (kind) {
    case FailureKind::launch_error:
      return "it could not be started";
    case FailureKind::provider_transient:
    case FailureKind::provider_permanent:
      return "the provider failed";
    case FailureKind::provider_stalled:
      return "the provider stopped answering";
    case FailureKind::context_overflow:
      return "the conversation no longer fitted the model";
    case FailureKind::worker_incomplete:
      return "the worker ended without having finished";
    case FailureKind::worker_stalled:
      return "the worker fell silent";
    case FailureKind::empty_final:
      return "the worker ended without a word";
    case FailureKind::truncated:
      return "the answer was cut at the output limit";
    case FailureKind::deadline_exceeded:
      return "the job's time was over";
    case FailureKind::killed:
      return "a signal that was not ours ended it";
    case FailureKind::acceptance_failed:
      return "the contract was not met";
    case FailureKind::protocol_error:
      return "its report could not be read";
    case FailureKind::audit_failed:
      return "the audit found something";
    case FailureKind::unknown_stall:
      return "it fell silent";
    case FailureKind::dependency_failed:
      return "a job it depends on failed";
    case FailureKind::cancelled:
      return "it was stopped";
    case FailureKind::supervisor_lost:
      return "its supervisor died";
    case FailureKind::internal:
      return "an error of pievt itself";
    case FailureKind::configuration:
      return "pi refused to begin";
    case FailureKind::none:
    case FailureKind::unknown:
      break;
  }
  return "the record does not say why";
}

bool is_provider(schema::FailureKind kind) {
  using schema::FailureKind;
  return kind == FailureKind::provider_transient || kind == FailureKind::provider_permanent ||
         kind == FailureKind::provider_stalled;
}

std::string without_numbers(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_id_char(text[i])) {
      out += text[i++];
      continue;
    }
    const std::size_t begin = i;
    std::size_t digits = 0;
    for (; i < text.size() && is_id_char(text[i]); ++i)
      digits += std::isdigit(static_cast<unsigned char>(text[i])) != 0 ? 1u : 0u;
    if (digits >= 4) {
      out += '#';
    } else {
      out += text.substr(begin, i - begin);
    }
  }
  return out;
}

void add_event(Events& events, std::uint64_t revision, std::size_t most) {
  if (revision == 0 || std::ranges::find(events, revision) != events.end()) return;
  if (events.size() >= most) return;
  events.insert(std::ranges::upper_bound(events, revision), revision);
}

std::string program_of(std::string_view ruleset) {
  std::string text(ruleset);
  const std::size_t dash = text.rfind('-');
  if (dash != std::string::npos && dash + 1 < text.size() &&
      std::isdigit(static_cast<unsigned char>(text[dash + 1])) != 0)
    text[dash] = ' ';
  return text;
}

std::string percent_text(std::int64_t part, std::int64_t whole) {
  if (whole <= 0 || part <= 0) return "0 %";
  const double exact = static_cast<double>(part) * 100.0 / static_cast<double>(whole);
  auto percent = static_cast<std::int64_t>(exact + 0.5);
  if (percent == 0) percent = 1;
  if (percent >= 100 && part < whole) percent = 99;
  return fmt::format("{} %", percent);
}

std::string shortened(std::string_view text, std::size_t most) {
  std::string line = render::one_line(text);
  if (line.size() <= most) return line;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
  return line.substr(0, end) + "...";
}

}  // namespace pievt::audit
