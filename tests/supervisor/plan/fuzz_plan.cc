// See fuzz_plan.h.
#include "tests/supervisor/plan/fuzz_plan.h"

#include <charconv>
#include <map>
#include <string>
#include <vector>

#include "supervisor/plan/canonical.h"
#include "supervisor/plan/ids.h"
#include "supervisor/plan/json_tree.h"
#include "supervisor/plan/read_plan.h"
#include "supervisor/plan/text.h"
#include "tests/supervisor/plan/support.h"

namespace {

using namespace pievt::plan;

using Files = std::map<std::string, std::string>;

Files split(std::string_view input) {
  Files files;
  for (const char* name : {"plan.json", "rows.csv", "rows.jsonl", "a.md"}) {
    const std::size_t end = std::min(input.find('\x1E'), input.size());
    files[name] = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return files;
}

/// Takes a number from 1 and the colon after it.
std::size_t take_number(std::string_view& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  PIEVT_ASSERT(error == std::errc());
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  PIEVT_ASSERT(text.starts_with(':'));
  text.remove_prefix(1);
  PIEVT_ASSERT(number >= 1);
  return number;
}

/// `file:line:column: sentence`, and there is such a place.
void check_message(std::string_view message, const Files& files) {
  const std::size_t colon = message.find(':');
  PIEVT_ASSERT(colon != std::string_view::npos);
  const auto file = files.find(std::string(message.substr(0, colon)));
  PIEVT_ASSERT(file != files.end());
  message.remove_prefix(colon + 1);
  const std::size_t line = take_number(message);
  const std::size_t column = take_number(message);
  PIEVT_ASSERT(message.size() > 5 && message[0] == ' ' && !message.ends_with('.'));
  std::string_view rest = file->second;
  for (std::size_t i = 1; i < line; ++i) {
    const std::size_t end = rest.find('\n');
    PIEVT_ASSERT(end != std::string_view::npos);
    rest.remove_prefix(end + 1);
  }
  PIEVT_ASSERT(column <= std::min(rest.find('\n'), rest.size()) + 1);
}

void check_error(const pievt::Error& error, const Files& files) {
  PIEVT_ASSERT(error.code == pievt::Errc::invalid);
  PIEVT_ASSERT(invalid_utf8_at(error.what) == std::string::npos);
  std::string_view rest = error.what;
  std::size_t lines = 0;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (++lines > limits::problems_max)
      PIEVT_ASSERT(rest.starts_with("and ") && rest.ends_with(" more problems"));
    else
      check_message(rest.substr(0, end), files);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  PIEVT_ASSERT(lines >= 1);
}

void check_plan(const Plan& plan) {
  PIEVT_ASSERT(!plan.jobs.empty() && plan.jobs.size() <= limits::jobs_max);
  for (const JobSpec& job : plan.jobs) {
    PIEVT_ASSERT(is_safe_id(job.id));
    PIEVT_ASSERT(!is_blank(job.name));
    PIEVT_ASSERT(!job.prompt.empty());
    PIEVT_ASSERT(job.timeout_ms >= 1 && job.timeout_ms <= limits::timeout_ms_max);
    for (const Dependency& on : job.depends_on) PIEVT_ASSERT(plan.jobs.at(on.index).id == on.job);
    for (const auto& piece : job.prompt)
      if (const auto* final = std::get_if<FinalOf>(&piece))
        PIEVT_ASSERT(plan.jobs.at(final->index).id == final->job);
  }
  const Source source("canonical", canonical_json(plan));
  Problems problems;
  PIEVT_ASSERT(JsonTree::parse(source, problems).has_value());
}

}  // namespace

int fuzz_plan(const std::uint8_t* data, std::size_t size) {
  const Files files = split({reinterpret_cast<const char*>(data), size});
  MemoryFiles memory{{"rows.csv", files.at("rows.csv")},
                     {"rows.jsonl", files.at("rows.jsonl")},
                     {"a.md", files.at("a.md")}};
  const auto plan = read_plan("plan.json", files.at("plan.json"), memory);
  if (plan.ok())
    check_plan(*plan);
  else
    check_error(plan.error(), files);
  return 0;
}
