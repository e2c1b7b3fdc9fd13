// See read_plan.h.
#include "supervisor/plan/read_plan.h"

#include <fmt/format.h>

#include "supervisor/plan/disk_files.h"
#include "supervisor/plan/expand.h"
#include "supervisor/plan/parse.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

/// The directory of a path with its slash, or nothing.
std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

/// `plans/nightly.json` is named nightly.
std::string name_without_ending(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot != std::string::npos && dot > 0) name.resize(dot);
  return is_blank(name) || invalid_utf8_at(name) != std::string::npos ? "plan" : name;
}

Error too_large(const std::string& name, std::string_view what) {
  return {Errc::invalid, fmt::format("{}:1:1: {}; a plan has at most {} bytes (64 MiB)", name, what,
                                     limits::file_bytes_max)};
}

template <class Value>
void fill(std::optional<Value>& own, const std::optional<Value>& weaker) {
  if (!own) own = weaker;
}

void fill(Document& document, const PlanDefaults& weaker) {
  fill(document.concurrency, weaker.concurrency);
  fill(document.throttle, weaker.throttle);
  fill(document.budget, weaker.budget);
  fill(document.defaults.timeout_ms, weaker.timeout_ms);
  if (!document.defaults.retry) document.defaults.retry.emplace();
  WrittenRetry& retry = *document.defaults.retry;
  fill(retry.max_attempts, weaker.retry.max_attempts);
  fill(retry.initial_ms, weaker.retry.initial_ms);
  fill(retry.max_ms, weaker.retry.max_ms);
  fill(retry.multiplier, weaker.retry.multiplier);
  fill(retry.jitter, weaker.retry.jitter);
  fill(retry.retry_on, weaker.retry.retry_on);
  fill(retry.session, weaker.retry.session);
  fill(retry.tree, weaker.retry.tree);
  if (!document.defaults.silence) document.defaults.silence.emplace();
  WrittenSilence& silence = *document.defaults.silence;
  fill(silence.starting_ms, weaker.silence.starting_ms);
  fill(silence.thinking_ms, weaker.silence.thinking_ms);
  fill(silence.tool_ms, weaker.silence.tool_ms);
  fill(silence.provider_ms, weaker.silence.provider_ms);
  fill(silence.lingering_ms, weaker.silence.lingering_ms);
}

}  // namespace

Result<Plan> read_plan(const std::string& name, std::string text, FileSource& files,
                       const PlanDefaults& weaker) {
  if (text.size() > limits::file_bytes_max)
    return too_large(name, fmt::format("has {} bytes", text.size()));
  Problems problems;
  Sources sources;
  const Source& source = sources.add(name, std::move(text));
  Document document;
  if (const auto tree = JsonTree::parse(source, problems))
    document = parse_document(tree->root(), problems);
  else
    return problems.error();
  fill(document, weaker);
  PlanFiles plan_files(name, files, sources, problems);
  Plan plan = expand(std::move(document), name_without_ending(name), plan_files, problems);
  if (!problems.none()) return problems.error();
  return plan;
}

Result<PlanFile> read_plan_file(const std::string& path, const PlanDefaults& weaker) {
  const std::string directory = directory_of(path);
  DiskFiles files(directory);
  auto text = files.read(path.substr(directory.size()), limits::file_bytes_max);
  if (!text.ok()) {
    if (text.error().code == Errc::invalid) return too_large(path, text.error().what);
    return Error{text.error().code, fmt::format("{}: {}", path, text.error().what)};
  }
  Plan plan = PIEVT_TRY(read_plan(path, *text, files, weaker));
  return PlanFile{std::move(plan), std::move(*text)};
}

}  // namespace pievt::plan
