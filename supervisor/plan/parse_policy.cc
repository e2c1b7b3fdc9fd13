// Reads retry and dependsOn: keys that are objects with rules of their own.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "supervisor/plan/parse_parts.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

struct RetryName {
  std::string_view name;
  RetryOn kind;
};

// Ours first, because a near miss is answered with the first that fits; then what pi-jobs calls
// them.
constexpr std::array retry_names = {
    RetryName{"launch", RetryOn::launch},
    RetryName{"provider_transient", RetryOn::provider_transient},
    RetryName{"context_overflow", RetryOn::context_overflow},
    RetryName{"worker_incomplete", RetryOn::worker_incomplete},
    RetryName{"timeout", RetryOn::timeout},
    RetryName{"killed", RetryOn::killed},
    RetryName{"acceptance", RetryOn::acceptance},
    RetryName{"lost", RetryOn::lost},
    RetryName{"launch_error", RetryOn::launch},
    RetryName{"provider_stalled", RetryOn::provider_transient},
    RetryName{"worker_stalled", RetryOn::timeout},
};

void read_retry_kind(const Field& field, const Text& entry, std::vector<RetryOn>& kinds) {
  const auto* row = std::ranges::find(retry_names, entry.value, &RetryName::name);
  if (row != retry_names.end()) {
    if (std::ranges::find(kinds, row->kind) == kinds.end()) kinds.push_back(row->kind);
    return;
  }
  std::vector<std::string_view> names;
  for (const RetryName& known : retry_names) names.push_back(known.name);
  const std::string_view near = nearest(entry.value, names);
  field.problems.add(
      entry.place,
      fmt::format("\"retryOn\" in {} holds {}, which is not a failure that can be retried; {}",
                  field.label, shown(entry.value),
                  near.empty() ? fmt::format("known are {}", fmt::join(names, ", "))
                               : fmt::format("did you mean \"{}\"?", near)));
}

void read_retry_on(const Field& field, WrittenRetry& retry) {
  const auto entries = field.texts("a list of kinds of failure");
  if (!entries) return;
  retry.retry_on.emplace();
  for (const Text& entry : *entries) read_retry_kind(field, entry, *retry.retry_on);
}

void read_backoff(const Field& field, WrittenRetry& retry) {
  if (!field.is(JsonKind::object, "an object")) return;
  read_object(field.problems, field.value, backoff_keys(), Where::backoff,
              fmt::format("\"backoffMs\" of {}", field.label), retry);
}

std::optional<std::uint64_t> backoff_ms(const Field& field) {
  const auto ms = field.whole_number(0, limits::backoff_ms_max);
  if (!ms) return std::nullopt;
  return static_cast<std::uint64_t>(*ms);
}

template <class Word, std::optional<Word> WrittenRetry::*member, Word first, Word second>
void read_word(const Field& field, WrittenRetry& retry) {
  const auto word = field.text();
  if (!word) return;
  for (const Word each : {first, second})
    if (word->value == name_of(each)) retry.*member = each;
  if (!(retry.*member))
    field.wrong(fmt::format("must be \"{}\" or \"{}\", not {}", name_of(first), name_of(second),
                            shown(word->value)));
}

constexpr auto retry_where = static_cast<std::uint16_t>(Where::retry);
constexpr auto backoff_where = static_cast<std::uint16_t>(Where::backoff);
constexpr auto depends_where = static_cast<std::uint16_t>(Where::depends_on);

constexpr std::array<Key<WrittenRetry>, 5> retry_table = {{
    {{"maxAttempts", retry_where, Support::now, "whole number",
      "Attempts in total, 1 to 100; 2 if left out"},
     [](const Field& field, WrittenRetry& retry) {
       if (const auto n = field.whole_number(1, limits::attempts_max))
         retry.max_attempts = static_cast<std::uint32_t>(*n);
     }},
    {{"backoffMs", retry_where, Support::now, "object", "How long to wait before another attempt"},
     read_backoff},
    {{"retryOn", retry_where, Support::now, "list of text",
      "Only these failures: `launch`, `provider_transient`, `context_overflow`, "
      "`worker_incomplete`, `timeout`, `killed`, `acceptance`, `lost`; also `launch_error`, "
      "`provider_stalled`, `worker_stalled` as pi-jobs calls three of them. Empty or left out: all "
      "that can be mended"},
     read_retry_on},
    {{"session", retry_where, Support::now, "`fresh` or `resume`",
      "Whether another attempt goes on in the pi session of the one before; `fresh` if left out. "
      "After a context overflow it is always fresh"},
     read_word<RetrySession, &WrittenRetry::session, RetrySession::fresh, RetrySession::resume>},
    {{"tree", retry_where, Support::now, "`clean` or `previous`",
      "`previous`: another attempt starts from what the one before left, and is told so before its "
      "prompt; `clean`, which is so if left out: from nothing where it has a worktree of its own"},
     read_word<RetryTree, &WrittenRetry::tree, RetryTree::clean, RetryTree::previous>},
}};

constexpr std::array<Key<WrittenRetry>, 4> backoff_table = {{
    {{"initial", backoff_where, Support::now, "whole number",
      "Milliseconds before the second attempt; 1500 if left out"},
     [](const Field& field, WrittenRetry& retry) {
       if (const auto ms = backoff_ms(field)) retry.initial_ms = ms;
     }},
    {{"max", backoff_where, Support::now, "whole number",
      "No wait is longer, in milliseconds; 15000 if left out"},
     [](const Field& field, WrittenRetry& retry) {
       if (const auto ms = backoff_ms(field)) retry.max_ms = ms;
     }},
    {{"multiplier", backoff_where, Support::now, "number",
      "Each wait is this many times the one before, 1 to 100; 2 if left out"},
     [](const Field& field, WrittenRetry& retry) {
       if (const auto n = field.number(1, 100)) retry.multiplier = n;
     }},
    {{"jitter", backoff_where, Support::now, "true or false",
      "Vary waits by up to a quarter; true if left out"},
     [](const Field& field, WrittenRetry& retry) {
       if (const auto yes = field.boolean()) retry.jitter = yes;
     }},
}};

void read_when(const Field& field, WrittenDependency& on) {
  const auto when = field.text();
  if (!when) return;
  if (when->value == "success") {
    on.when = When::success;
  } else if (when->value == "finished") {
    on.when = When::finished;
  } else {
    field.wrong(fmt::format("must be \"success\" or \"finished\", not {}", shown(when->value)));
  }
}

constexpr std::array<Key<WrittenDependency>, 2> depends_on_table = {{
    {{"job", depends_where, Support::now, "text", "An id, or a pattern of ids; needed"},
     [](const Field& field, WrittenDependency& on) {
       if (auto job = field.text_not_blank()) on.job = std::move(*job);
     }},
    {{"when", depends_where, Support::now, "`success` or `finished`",
      "Whether it must have succeeded, which is so if left out, or only ended"},
     read_when},
}};

}  // namespace

std::span<const Key<WrittenRetry>> retry_keys() {
  return retry_table;
}
std::span<const Key<WrittenRetry>> backoff_keys() {
  return backoff_table;
}
std::span<const Key<WrittenDependency>> depends_on_keys() {
  return depends_on_table;
}

void read_retry(const Field& field, Written& into) {
  if (!field.is(JsonKind::object, "an object")) return;
  into.retry.emplace();
  into.retry_place = field.value.key_place();
  read_object(field.problems, field.value, retry_keys(), Where::retry,
              fmt::format("\"retry\" of {}", field.label), *into.retry);
}

void read_depends_on(const Field& field, Written& into) {
  constexpr std::string_view rule = "a list of job ids or {\"job\": …, \"when\": …} objects";
  if (!field.is(JsonKind::array, rule)) return;
  into.depends_on.emplace();
  for (const JsonView entry : field.value) {
    WrittenDependency on;
    if (entry.kind() == JsonKind::string) {
      on.job = text_of(entry);
    } else if (entry.kind() == JsonKind::object) {
      const std::string label = fmt::format("\"dependsOn\" of {}", field.label);
      read_object(field.problems, entry, depends_on_keys(), Where::depends_on, label, on);
      if (!entry.find("job"))
        field.problems.add(entry.place(), fmt::format("an entry of {} needs \"job\"", label));
    } else {
      field.problems.add(entry.place(),
                         fmt::format("\"dependsOn\" in {} must be {}", field.label, rule));
    }
    if (on.job.was_read()) into.depends_on->push_back(std::move(on));
  }
}

}  // namespace pievt::plan
