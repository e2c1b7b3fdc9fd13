// Reads the keys at the top of a plan. See parse.h.
#include <array>

#include <fmt/format.h>

#include "supervisor/plan/parse.h"
#include "supervisor/plan/parse_parts.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

constexpr auto plan_where = static_cast<std::uint16_t>(Where::plan);
constexpr auto matrix_where = static_cast<std::uint16_t>(Where::matrix);
constexpr auto throttle_where = static_cast<std::uint16_t>(Where::throttle);
constexpr auto synthesis_where = static_cast<std::uint16_t>(Where::synthesis);

/// Rows or jobs. Their number is checked before anything is made of them: 64 MiB of `{}` would be
/// 20 million.
void read_list(const Field& field, Where where, std::vector<Written>& into, Document& document) {
  const std::size_t count = field.value.size();
  if (count > limits::jobs_max) {
    document.list_missing = true;
    return field.wrong(
        fmt::format("has {} entries; a plan has at most {} jobs", count, limits::jobs_max));
  }
  const std::size_t problems_before = field.problems.count();
  into = parse_list(field, where);
  document.problems_in_lists += field.problems.count() - problems_before;
}

void read_name(const Field& field, Document& document) {
  if (document.name) return field.both(field.key() == "name" ? "batchName" : "name");
  document.name = field.text_not_blank();
}

void read_matrix(const Field& field, Document& document) {
  document.matrix_place = field.value.place();
  if (field.value.kind() == JsonKind::array && field.value.size() > 0)
    return read_list(field, Where::row, document.rows, document);
  if (field.value.kind() == JsonKind::object && field.value.size() == 1)
    read_object(field.problems, field.value, matrix_keys(), Where::matrix,
                std::string(name_of(Where::matrix)), document);
  else if (field.value.kind() == JsonKind::object)
    field.wrong("must have exactly one of \"glob\", \"csv\" and \"jsonl\"");
  else if (field.value.kind() == JsonKind::array)
    field.wrong("must have at least one row");
  else
    field.must_be("a list of rows, or an object with \"glob\", \"csv\" or \"jsonl\"");
  if (!document.matrix_file) document.list_missing = true;
}

template <MatrixFile::Kind kind>
void read_matrix_file(const Field& field, Document& document) {
  if (auto path = field.text_not_blank()) document.matrix_file = MatrixFile{kind, std::move(*path)};
}

void read_jobs(const Field& field, Document& document) {
  document.jobs_place = field.value.place();
  if (field.is(JsonKind::array, "a list of jobs"))
    read_list(field, Where::job, document.jobs, document);
  else
    document.list_missing = true;
}

void read_defaults(const Field& field, Document& document) {
  if (!field.is(JsonKind::object, "an object")) return;
  read_object(field.problems, field.value, written_keys(), Where::defaults,
              std::string(name_of(Where::defaults)), document.defaults);
}

void read_acceptance_template(const Field& field, Document& document) {
  read_acceptance(field, document.acceptance_template);
}

void read_throttle(const Field& field, Document& document) {
  if (!field.is(JsonKind::object, "an object")) return;
  document.throttle.emplace();
  read_object(field.problems, field.value, throttle_keys(), Where::throttle,
              std::string(name_of(Where::throttle)), *document.throttle);
}

void read_synthesis(const Field& field, Document& document) {
  if (!field.is(JsonKind::object, "an object")) return;
  document.synthesis.emplace();
  read_object(field.problems, field.value, synthesis_keys(), Where::synthesis,
              std::string(name_of(Where::synthesis)), *document.synthesis);
}

void read_mode(const Field& field, Synthesis& synthesis) {
  const auto mode = field.text();
  if (!mode) return;
  if (mode->value == "parent") {
    synthesis.mode = SynthesisMode::parent;
  } else if (mode->value == "report-only") {
    synthesis.mode = SynthesisMode::report_only;
  } else {
    field.wrong(fmt::format("must be \"parent\" or \"report-only\", not {}", shown(mode->value)));
  }
}

void read_rerun_of(const Field& field, Document& document) {
  const auto ids = field.texts("a list of job ids");
  if (!ids) return;
  for (const Text& id : *ids) document.rerun_of_jobs.push_back(id.value);
}

std::optional<std::uint32_t> positive(const Field& field) {
  const auto number = field.whole_number(1, UINT32_MAX);
  if (!number) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

template <std::optional<Text> Document::*member>
void read_text(const Field& field, Document& document) {
  document.*member = field.text_not_blank();
}

constexpr std::array<Key<Document>, 20> plan_table = {{
    {{"name", plan_where, Support::now, "text",
      "The plan's name; the file's name without its ending if left out"},
     read_name},
    {{"batchName", plan_where, Support::now, "text", "The same, as `jobs_plan` calls it"},
     read_name},
    {{"concurrency", plan_where, Support::now, "whole number",
      "Attempts at the same time; 4 if left out"},
     [](const Field& field, Document& document) { document.concurrency = positive(field); }},
    {{"matrix", plan_where, Support::now, "list of rows, or object",
      "One job for each row, or for each entry of a file"},
     read_matrix},
    {{"jobs", plan_where, Support::now, "list of jobs", "Jobs written one by one"}, read_jobs},
    {{"defaults", plan_where, Support::now, "object", "Keys of jobs, for all of them"},
     read_defaults},
    {{"promptTemplate", plan_where, Support::now, "template",
      "The prompt of rows that have none of their own"},
     read_text<&Document::prompt_template>},
    {{"nameTemplate", plan_where, Support::now, "template",
      "The name of rows without one; `<plan> <id>` if left out"},
     read_text<&Document::name_template>},
    {{"cwdTemplate", plan_where, Support::now, "template", "The `cwd` of rows without one"},
     [](const Field& field, Document& document) { document.cwd_template = field.text(); }},
    {{"acceptanceTemplate", plan_where, Support::now, "object",
      "`acceptance` added to every row's"},
     read_acceptance_template},
    {{"metadataTemplate", plan_where, Support::now, "object of templates",
      "`metadata` added to every row's"},
     [](const Field& field, Document& document) {
       read_metadata(field, document.metadata_template);
     }},
    {{"timeout", plan_where, Support::now, "duration", "As in `defaults`"},
     [](const Field& field, Document& document) { read_timeout(field, document.whole_plan); }},
    {{"timeoutMs", plan_where, Support::now, "number", "As in `defaults`"},
     [](const Field& field, Document& document) { read_timeout_ms(field, document.whole_plan); }},
    {{"retry", plan_where, Support::now, "object", "As in `defaults`"},
     [](const Field& field, Document& document) { read_retry(field, document.whole_plan); }},
    {{"acceptanceDefaults", plan_where, Support::now, "object", "As `acceptance` in `defaults`"},
     [](const Field& field, Document& document) {
       read_acceptance(field, document.whole_plan.acceptance);
     }},
    {{"throttle", plan_where, Support::now, "object",
      "Lower concurrency when providers fail; off if left out"},
     read_throttle},
    {{"synthesis", plan_where, Support::now, "object",
      "What is to be made of the results; recorded, never run"},
     read_synthesis},
    {{"parentBatchId", plan_where, Support::now, "text", "The run that this one repeats"},
     [](const Field& field, Document& document) {
       if (auto id = field.text_not_blank()) document.parent_run = std::move(id->value);
     }},
    {{"rerunOfJobIds", plan_where, Support::now, "list of text", "Which of its jobs"},
     read_rerun_of},
    {{"budget", plan_where, Support::now, "object",
      "What the run may spend; then it is stopped, and can be resumed"},
     [](const Field& field, Document& document) { read_budget(field, document.budget); }},
}};

constexpr std::array<Key<Document>, 3> matrix_table = {{
    {{"glob", matrix_where, Support::now, "pattern",
      "One row for each file. `id` is the file's name without its ending, made safe; variables are "
      "`path`, `name`, `stem`"},
     read_matrix_file<MatrixFile::Kind::glob>},
    {{"csv", matrix_where, Support::now, "path",
      "One row for each line. The first line names the variables; one of them is `id`"},
     read_matrix_file<MatrixFile::Kind::csv>},
    {{"jsonl", matrix_where, Support::now, "path",
      "One row for each line, written as in a list of rows"},
     read_matrix_file<MatrixFile::Kind::json_lines>},
}};

constexpr std::array<Key<Throttle>, 5> throttle_table = {{
    {{"enabled", throttle_where, Support::now, "true or false", "Whether to; false if left out"},
     [](const Field& field, Throttle& policy) {
       policy.enabled = field.boolean().value_or(false);
     }},
    {{"minConcurrency", throttle_where, Support::now, "whole number", "1 if left out"},
     [](const Field& field, Throttle& policy) { policy.min_concurrency = positive(field); }},
    {{"maxConcurrency", throttle_where, Support::now, "whole number", "`concurrency` if left out"},
     [](const Field& field, Throttle& policy) { policy.max_concurrency = positive(field); }},
    {{"transientFailureThreshold", throttle_where, Support::now, "number",
      "The share of failures that lowers it, 0 to 1; 0.2 if left out"},
     [](const Field& field, Throttle& policy) {
       policy.transient_failure_threshold = field.number(0, 1);
     }},
    {{"windowSize", throttle_where, Support::now, "whole number",
      "Jobs that are looked back on; 5 if left out"},
     [](const Field& field, Throttle& policy) { policy.window_size = positive(field); }},
}};

constexpr std::array<Key<Synthesis>, 2> synthesis_table = {{
    {{"mode", synthesis_where, Support::now, "`parent` or `report-only`", "`parent` if left out"},
     read_mode},
    {{"instructions", synthesis_where, Support::now, "text", "For whoever reads the results"},
     [](const Field& field, Synthesis& synthesis) {
       if (auto text = field.text()) synthesis.instructions = std::move(text->value);
     }},
}};

/// jobs_plan has three keys of "defaults" at the top. They may stand in one place or the other.
void merge_whole_plan(Document& document, Problems& problems) {
  Written& whole = document.whole_plan;
  Written& defaults = document.defaults;
  const auto twice = [&](const Place& place, std::string_view key) {
    problems.add(place, fmt::format("\"{}\" is set in \"defaults\" and for the whole plan; keep "
                                    "one",
                                    key));
  };
  if (whole.timeout_ms) {
    if (defaults.timeout_ms) twice(defaults.timeout_place, "timeout");
    defaults.timeout_ms = whole.timeout_ms;
  }
  if (whole.retry) {
    if (defaults.retry) twice(defaults.retry_place, "retry");
    defaults.retry = std::move(whole.retry);
  }
  if (whole.acceptance.place) {
    if (defaults.acceptance.place) twice(*defaults.acceptance.place, "acceptance");
    defaults.acceptance = std::move(whole.acceptance);
  }
}

}  // namespace

std::span<const Key<Document>> plan_keys() {
  return plan_table;
}
std::span<const Key<Document>> matrix_keys() {
  return matrix_table;
}
std::span<const Key<Throttle>> throttle_keys() {
  return throttle_table;
}
std::span<const Key<Synthesis>> synthesis_keys() {
  return synthesis_table;
}

Document parse_document(JsonView root, Problems& problems) {
  Document document;
  document.place = root.place();
  document.defaults.place = root.place();
  document.defaults.label = name_of(Where::defaults);
  if (root.kind() != JsonKind::object) {
    problems.add(root.place(),
                 fmt::format("a plan must be an object, not {}", name_of(root.kind())));
    return document;
  }
  const std::size_t problems_before = problems.count();
  read_object(problems, root, plan_keys(), Where::plan, std::string(name_of(Where::plan)),
              document);
  if (!document.matrix_place && !root.find("jobs"))
    problems.add(root.place(), "a plan needs \"matrix\" or \"jobs\"");
  merge_whole_plan(document, problems);
  document.damaged = problems.count() - problems_before > document.problems_in_lists;
  return document;
}

}  // namespace pievt::plan
