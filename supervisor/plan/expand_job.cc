// See expand_job.h.
#include "supervisor/plan/expand_job.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "supervisor/plan/expand_one.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

/// The job's own value, or that of "defaults".
template <class T>
const std::optional<T>& own_or_default(const std::optional<T>& own,
                                       const std::optional<T>& fallback) {
  return own ? own : fallback;
}

template <class T>
void override_with(T& value, const std::optional<T>& written) {
  if (written) value = *written;
}

void apply(RetryPolicy& policy, const std::optional<WrittenRetry>& retry) {
  if (!retry) return;
  override_with(policy.max_attempts, retry->max_attempts);
  override_with(policy.initial_ms, retry->initial_ms);
  override_with(policy.max_ms, retry->max_ms);
  override_with(policy.multiplier, retry->multiplier);
  override_with(policy.jitter, retry->jitter);
  override_with(policy.retry_on, retry->retry_on);
  override_with(policy.session, retry->session);
  override_with(policy.tree, retry->tree);
}

void apply(Silence& silence, const std::optional<WrittenSilence>& written) {
  if (!written) return;
  override_with(silence.starting_ms, written->starting_ms);
  override_with(silence.thinking_ms, written->thinking_ms);
  override_with(silence.tool_ms, written->tool_ms);
  override_with(silence.provider_ms, written->provider_ms);
  override_with(silence.lingering_ms, written->lingering_ms);
}

}  // namespace

void override_budget(Budget& budget, const std::optional<WrittenBudget>& written) {
  if (!written) return;
  override_with(budget.tokens, written->tokens);
  override_with(budget.cost_nanodollars, written->cost_nanodollars);
  override_with(budget.wall_ms, written->wall_ms);
  override_with(budget.retries, written->retries);
}

namespace {

constexpr std::array levels = {Thinking::off,    Thinking::minimal, Thinking::low,
                               Thinking::medium, Thinking::high,    Thinking::xhigh};

bool is_blank_prompt(const Prompt& prompt) {
  return std::ranges::all_of(prompt, [](const auto& piece) {
    const auto* text = std::get_if<std::string>(&piece);
    return text != nullptr && is_blank(*text);
  });
}

}  // namespace

ExpandedJob JobExpander::expand(const Written& written, Origin origin, const std::string& id,
                                const std::string& label) {
  One one(written, document_.defaults, origin, id, label, problems_);
  fill_name_and_cwd(one);
  fill_prompt(one);
  fill_context(one);
  fill_env(one);
  fill_model(one);
  fill_policies(one);
  fill_acceptance(one);
  fill_isolation(one);
  fill_metadata(one);
  want_dependencies(one);
  return std::move(one.job);
}

void JobExpander::count(std::size_t bytes, const Place& place) {
  bytes_ += bytes;
  if (is_full_ || bytes_ <= limits::expanded_bytes_max) return;
  is_full_ = true;
  problems_.add(place, fmt::format("the plan has more than {} bytes after expansion",
                                   limits::expanded_bytes_max));
}

void JobExpander::fill_name_and_cwd(One& one) {
  JobSpec& spec = one.job.spec;
  const bool is_row = one.origin == Origin::row;
  if (one.written.name) {
    spec.name = trimmed(one.written.name->value);
  } else if (is_row && document_.name_template) {
    const auto name = one.expander.expand_text(*document_.name_template, "\"nameTemplate\"");
    if (name) spec.name = trimmed(*name);
    if (name && spec.name.empty())
      problems_.add(document_.name_template->place,
                    fmt::format("\"nameTemplate\" gives {} a blank name", one.label));
  } else {
    const std::string& id = one.written.id ? one.written.id->value : spec.id;
    spec.name = is_row ? plan_name_ + " " + id : spec.id;
  }
  if (one.written.cwd) {
    spec.cwd = one.written.cwd->value;
  } else if (is_row && document_.cwd_template) {
    spec.cwd = one.expander.expand_text(*document_.cwd_template, "\"cwdTemplate\"");
  } else if (one.defaults.cwd) {
    spec.cwd = one.defaults.cwd->value;
  }
  count(entry_bytes + spec.name.size() + (spec.cwd ? spec.cwd->size() : 0), one.written.place);
}

const Text* JobExpander::prompt_file(const One& one, const Text& path) {
  const auto name = one.expander.expand_text(path, "\"promptFile\"");
  if (!name) return nullptr;
  if (const auto known = prompt_files_.find(*name); known != prompt_files_.end())
    return &known->second;
  const Source* source =
      files_.text(*name, path.place, "prompt file", limits::prompt_file_bytes_max);
  if (source == nullptr) return nullptr;
  const std::size_t begin = source->mark_bytes();
  Text text{std::string(source->text().substr(begin)), {source, begin}, Text::Spelling::plain};
  return &prompt_files_.emplace(*name, std::move(text)).first->second;
}

/// The job's own prompt, the template of rows, the one of "defaults"; or null after noting why not.
const Text* JobExpander::prompt_text(const One& one) {
  const bool is_row = one.origin == Origin::row;
  if (one.written.prompt) return &*one.written.prompt;
  if (one.written.prompt_file) return prompt_file(one, *one.written.prompt_file);
  if (is_row && document_.prompt_template) return &*document_.prompt_template;
  if (one.defaults.prompt) return &*one.defaults.prompt;
  if (one.defaults.prompt_file) return prompt_file(one, *one.defaults.prompt_file);
  // It may have one that could not be read; that has been noted.
  if (one.written.damaged || document_.damaged) return nullptr;
  problems_.add(one.written.place,
                fmt::format("{} has no prompt: set \"prompt\" or \"promptFile\" here or in "
                            "\"defaults\"{}",
                            one.label, is_row ? ", or \"promptTemplate\"" : ""));
  return nullptr;
}

void JobExpander::fill_prompt(One& one) {
  const Text* text = prompt_text(one);
  if (text == nullptr) return;
  auto pieces = one.expander.expand(*text, "the prompt", Finals::allowed);
  if (!pieces) return;
  std::size_t bytes = 0;
  for (auto& piece : *pieces) {
    bytes += entry_bytes;
    if (auto* part = std::get_if<std::string>(&piece)) {
      bytes += part->size();
      one.job.spec.prompt.emplace_back(std::move(*part));
    } else {
      const auto& final = std::get<FinalHere>(piece);
      one.job.spec.prompt.emplace_back(FinalOf{final.job, 0});
      one.job.wanted.push_back(
          {final.job, When::success, text, final.index, Wanted::Kind::implied});
    }
  }
  if (is_blank_prompt(one.job.spec.prompt))
    problems_.add(text->place, fmt::format("the prompt of {} is blank", one.label));
  count(bytes, text->place);
}

/// False when no more can be added.
bool JobExpander::add_context(One& one, const std::string& path, const Place& named_at) {
  auto& context = one.job.spec.context;
  auto& text = contexts_[path];
  if (!text) {
    const Source* source =
        files_.text(path, named_at, "context file", limits::context_file_bytes_max);
    if (source == nullptr) return true;
    text = std::make_shared<const std::string>(source->text());
    count(text->size(), named_at);
  }
  count(entry_bytes + path.size(), named_at);
  context.push_back({path, text, {}});
  std::size_t total = 0;
  for (const ContextFile& file : context) total += file.text->size();
  if (text->size() <= limits::context_file_bytes_max && total <= limits::context_bytes_max &&
      context.size() <= limits::context_files_max)
    return !is_full_;
  problems_.add(named_at, fmt::format("the context of {} is too large: at most {} files, {} bytes "
                                      "each, {} bytes together",
                                      one.label, limits::context_files_max,
                                      limits::context_file_bytes_max, limits::context_bytes_max));
  return false;
}

void JobExpander::fill_context(One& one) {
  const auto& written = own_or_default(one.written.context, one.defaults.context);
  if (!written) return;
  for (const Text& entry : *written) {
    const auto paths = one.expander.expand_entry(entry, "\"context\"");
    if (!paths) continue;
    for (const std::string& path : *paths)
      if (!add_context(one, path, entry.place)) return;
  }
}

void JobExpander::fill_env(One& one) {
  add_env(one, one.defaults.env, one.job.spec.env);
  add_env(one, one.written.env, one.job.spec.env);
}

void JobExpander::fill_model(One& one) {
  JobSpec& spec = one.job.spec;
  if (const auto& model = own_or_default(one.written.model, one.defaults.model)) {
    spec.model = one.expander.expand_text(*model, "\"model\"");
    if (spec.model && is_blank(*spec.model))
      problems_.add(model->place, fmt::format("\"model\" of {} is blank", one.label));
    if (spec.model) count(spec.model->size(), model->place);
  }
  if (const auto& thinking = own_or_default(one.written.thinking, one.defaults.thinking)) {
    const auto level = one.expander.expand_text(*thinking, "\"thinking\"");
    if (!level) return;
    const auto* known =
        std::ranges::find(levels, *level, [](Thinking each) { return name_of(each); });
    if (known != levels.end())
      spec.thinking = *known;
    else
      problems_.add(thinking->place,
                    fmt::format("\"thinking\" of {} must be off, minimal, low, medium, high or "
                                "xhigh, not {}",
                                one.label, shown(*level)));
  }
}

void JobExpander::fill_policies(One& one) {
  JobSpec& spec = one.job.spec;
  override_with(spec.timeout_ms, own_or_default(one.written.timeout_ms, one.defaults.timeout_ms));
  override_with(spec.priority, own_or_default(one.written.priority, one.defaults.priority));
  apply(spec.retry, one.defaults.retry);
  apply(spec.retry, one.written.retry);
  override_with(spec.wave, own_or_default(one.written.wave, one.defaults.wave));
  override_budget(spec.budget, one.defaults.budget);
  override_budget(spec.budget, one.written.budget);
  apply(spec.silence, one.defaults.silence);
  apply(spec.silence, one.written.silence);
  if (const auto& tools = own_or_default(one.written.tools, one.defaults.tools)) {
    spec.tools.emplace();
    for (const Text& tool : *tools) {
      count(entry_bytes + tool.value.size(), tool.place);
      if (is_full_) return;
      spec.tools->push_back(tool.value);
    }
  }
}

void JobExpander::fill_metadata(One& one) {
  auto& metadata = one.job.spec.metadata;
  const auto fill = [&](const std::map<std::string, Text>& written, std::string_view key) {
    for (const auto& [name, text] : written) {
      const auto value =
          one.expander.expand_text(text, fmt::format("{} in \"{}\"", shown(name), key));
      if (!value) continue;
      count(entry_bytes + name.size() + value->size(), text.place);
      if (is_full_) return;
      metadata[name] = *value;
    }
  };
  fill(one.defaults.metadata, "metadata");
  if (one.origin == Origin::row) fill(document_.metadata_template, "metadataTemplate");
  fill(one.written.metadata, "metadata");
  if (one.origin != Origin::row) return;
  if (one.written.id) metadata["jobs_plan.row_id"] = one.written.id->value;
  metadata["jobs_plan.batch_name"] = plan_name_;
}

void JobExpander::want_dependencies(One& one) {
  const auto& written = own_or_default(one.written.depends_on, one.defaults.depends_on);
  if (!written) return;
  for (const WrittenDependency& on : *written) {
    const auto jobs = one.expander.expand_entry(on.job, "\"dependsOn\"");
    if (!jobs) continue;
    for (const std::string& job : *jobs) {
      count(entry_bytes, on.job.place);
      if (is_full_) return;
      one.job.wanted.push_back(
          {std::string(trimmed(job)), on.when, &on.job, 0, Wanted::Kind::asked});
    }
  }
}

}  // namespace pievt::plan
