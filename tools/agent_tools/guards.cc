// See guards.h.
#include "tools/agent_tools/guards.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "supervisor/check/regex.h"
#include "supervisor/plan/ids.h"
#include "supervisor/plan/text.h"
#include "tools/agent_tools/agent_tools.h"

namespace pievt::tools::guards {
namespace {

using plan::JsonKind;
using plan::JsonView;

Error refused(std::string sentence) {
  return {Errc::invalid, std::move(sentence)};
}

std::optional<JsonView> member(JsonView object, std::string_view key, JsonKind kind) {
  const auto found = object.find(key);
  return found && found->kind() == kind ? found : std::nullopt;
}

std::string_view text_of(JsonView object, std::string_view key) {
  const auto found = member(object, key, JsonKind::string);
  return found ? found->string() : std::string_view();
}

// pi-jobs' ids, which are narrower than a plan's.
bool is_job_id(std::string_view id) {
  constexpr std::size_t bytes_max = 80;
  id = plan::trimmed(id);
  return id.size() <= bytes_max && plan::is_safe_id(id) && id.find("..") == std::string_view::npos;
}

Status check_job(JsonView job, std::size_t index) {
  const auto wrong = [&](std::string_view key, std::string_view rule) {
    return refused(fmt::format("jobs[{}].{} {}", index, key, rule));
  };
  if (job.kind() != JsonKind::object)
    return refused(fmt::format("jobs[{}] must be an object with \"name\" and \"prompt\"", index));
  for (const std::string_view key : {"name", "prompt"})
    if (plan::is_blank(text_of(job, key))) return wrong(key, "must be a text that is not blank");
  if (const auto cwd = job.find("cwd"); cwd && cwd->kind() != JsonKind::string)
    return wrong("cwd", "must be a text where it is given");
  if (const auto id = job.find("id")) {
    if (id->kind() != JsonKind::string || plan::is_blank(id->string()))
      return wrong("id", "must be a text that is not blank where it is given");
    if (!is_job_id(id->string()))
      return wrong("id",
                   "may hold letters, digits, dots, dashes and underscores, begins with a "
                   "letter or digit, has no \"..\" and at most 80 characters");
  }
  return {};
}

// The number of workers that a text asks for, or 0; -1: several, and no number.
Result<int> workers_asked(std::string_view text) {
  using acceptance::Found;
  using acceptance::Regex;
  // Facts of pi-jobs 0.5: the same words, in two languages.
  constexpr std::string_view workers = "(?:agents?|agent|workers?|worker|任务|jobs?)";
  const std::string counted[] = {
      "(?i)(?:launch|start|run|spawn|fan[- ]?out|发起|启动|运行)\\D{0,30}(\\d{1,3})\\D{0,20}"
      "(?:agents?|workers?|jobs?|个\\s*(?:并行\\s*)?(?:agents?|agent|workers?|worker|任务))",
      fmt::format("(?i)(\\d{{1,3}})\\s*(?:个\\s*)?(?:并行\\s*)?{}", workers)};
  const auto deadline = std::chrono::steady_clock::now() + acceptance::search_time_max;
  const auto find = [&](const std::string& pattern) -> Result<acceptance::Search> {
    const Regex regex = PIEVT_TRY(Regex::compile(pattern));
    return regex.search(text, deadline);
  };
  for (const std::string& pattern : counted) {
    const acceptance::Search hit = PIEVT_TRY(find(pattern));
    if (hit.found != Found::yes) continue;
    const std::string_view words = text.substr(hit.begin, hit.end - hit.begin);
    const std::size_t digit = words.find_first_of("0123456789");
    int count = 0;
    std::from_chars(words.data() + digit, words.data() + words.size(), count);
    if (count > 1) return count;
  }
  const acceptance::Search who =
      PIEVT_TRY(find("(?i)\\b(?:agents?|workers?|subjobs?)\\b|并行|分工|分别|每个|每章|各章"));
  const acceptance::Search how =
      PIEVT_TRY(find("(?i)\\b(?:parallel|concurrent|fan[- ]?out|spawn|launch)\\b|并行|发起|启动"));
  return who.found == Found::yes && how.found == Found::yes ? -1 : 0;
}

}  // namespace

Status check_keys(JsonView arguments, std::string_view tool,
                  std::span<const std::string_view> known) {
  if (arguments.kind() != JsonKind::object)
    return refused(fmt::format("the arguments of {} must be an object, not {}", tool,
                               plan::name_of(arguments.kind())));
  for (const JsonView each : arguments) {
    if (std::ranges::find(known, each.key()) != known.end()) continue;
    const std::string_view near = plan::nearest(each.key(), known);
    return refused(
        fmt::format("{} has no parameter {}{}", tool, plan::shown(each.key()),
                    near.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", near)));
  }
  return {};
}

Status check_jobs(JsonView arguments) {
  const auto jobs = member(arguments, "jobs", JsonKind::array);
  if (!jobs || jobs->size() == 0) return refused("\"jobs\" must be a list of at least one job");
  if (jobs->size() > jobs_max)
    return refused(fmt::format("{} jobs are too many: at most {}", jobs->size(), jobs_max));
  std::size_t index = 0;
  for (const JsonView job : *jobs) PIEVT_TRY(check_job(job, index++));
  if (const auto number = arguments.find("concurrency")) {
    const auto whole = number->kind() == JsonKind::number ? number->whole_number() : std::nullopt;
    if (!whole || *whole < 1)
      return refused("\"concurrency\" must be a whole number of at least 1 where it is given");
  }
  return {};
}

Status check_fan_out(JsonView arguments) {
  const auto jobs = *arguments.find("jobs");
  if (jobs.size() != 1) return {};
  const JsonView job = *jobs.begin();
  const std::string text = fmt::format("{}\n{}", text_of(job, "name"), text_of(job, "prompt"));
  int count = PIEVT_TRY(workers_asked(text));
  if (count == 0) {
    const auto asked = arguments.find("concurrency");
    const auto number = asked ? asked->whole_number() : std::nullopt;
    if (number && *number > 1) count = static_cast<int>(std::min<std::int64_t>(*number, 1'000'000));
  }
  if (count == 0) return {};
  return refused(fmt::format(
      "this call has one job, and its text seems to need {} supervised workers. A job cannot "
      "start workers of its own, so one that coordinates others does not work. For the same task "
      "over many things call jobs_plan with a small matrix and a promptTemplate; for exactly one "
      "worker call job",
      count < 0 ? "several" : fmt::format("{}", count)));
}

Status check_inline_size(JsonView arguments) {
  const auto jobs = *arguments.find("jobs");
  std::size_t bytes = 0;
  for (const JsonView job : jobs)
    bytes += text_of(job, "prompt").size() + text_of(job, "name").size();
  if (jobs.size() <= inline_jobs_max && bytes <= inline_bytes_max) return {};
  return refused(fmt::format(
      "jobs refused: {} {} (at most {}), {} bytes of names and prompts (at most {}). A long "
      "argument is cut while it streams, and then nothing happens at all. For the same task over "
      "many things call jobs_plan({{batchName, matrix: [{{id, vars}}, …], promptTemplate, "
      "acceptanceTemplate}}); add concurrency only where fewer shall run at once",
      jobs.size(), jobs.size() == 1 ? "job" : "jobs", inline_jobs_max, bytes, inline_bytes_max));
}

Status check_plan_size(JsonView arguments, std::size_t bytes) {
  if (plan::is_blank(text_of(arguments, "promptTemplate")))
    return refused("\"promptTemplate\" must be a text that is not blank");
  if (const std::size_t size = text_of(arguments, "promptTemplate").size();
      size > template_bytes_max)
    return refused(
        fmt::format("\"promptTemplate\" has {} bytes: at most {}. Put what is long into "
                    "files and let workers read them",
                    size, template_bytes_max));
  const auto matrix = member(arguments, "matrix", JsonKind::array);
  if (!matrix || matrix->size() == 0)
    return refused("\"matrix\" must be a list of at least one row");
  if (matrix->size() > jobs_max)
    return refused(fmt::format("{} rows are too many: at most {}", matrix->size(), jobs_max));
  if (bytes > plan_bytes_max)
    return refused(
        fmt::format("the call has {} bytes: at most {}. Shorten the template or the "
                    "rows",
                    bytes, plan_bytes_max));
  return {};
}

}  // namespace pievt::tools::guards
